package key

import (
	"fmt"

	"swipewell/hal"
)

// Combine joins the components that custodians brought: their XOR. X9.24 §7.4:
// each component is as long as the key, and no one of them tells of it. Refused
// with hal.ErrKeyWeak: fewer than two, a component of zeros (its custodian's
// neighbour would know the key), two that are equal, and a result that Strong
// refuses.
func Combine(parts ...Key) (Key, error) {
	if len(parts) < 2 {
		return Key{}, fmt.Errorf("%w: one component is no dual control", hal.ErrKeyWeak)
	}
	out := parts[0].Clone()
	for i, p := range parts {
		if p.alg != out.alg || p.Len() != out.Len() || p.IsZero() {
			out.Wipe()
			return Key{}, fmt.Errorf("%w: component %d differs from the first", hal.ErrKeyLength, i+1)
		}
		if err := p.Degenerate(); err != nil {
			out.Wipe()
			return Key{}, fmt.Errorf("component %d: %w", i+1, err)
		}
		for j := range i {
			if p.Same(parts[j]) {
				out.Wipe()
				return Key{}, fmt.Errorf("%w: components %d and %d are equal", hal.ErrKeyWeak, j+1, i+1)
			}
		}
		if i > 0 {
			out.Use(func(o []byte) { p.Use(func(b []byte) { xor(o, b) }) })
		}
	}
	if err := out.Strong(); err != nil {
		out.Wipe()
		return Key{}, err
	}
	return out, nil
}
