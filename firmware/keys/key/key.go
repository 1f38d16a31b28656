// Package key holds the one type that carries key bytes, and what is done with
// a key as such: its cipher, its check value, its parity, its weakness, and the
// joining of its components. A Key prints nothing, is marshalled by nobody and
// is not comparable; who needs its bytes calls Use, so that a search finds all
// of them.
//
// Sources:
//   - HOST: firmware/doc/wire.md §1.6 (check values)
//   - SP800-67: NIST SP 800-67r2, Triple DES §3.2 (keying options), §3.4 (weak keys, in r1)
//   - X9.24: ANSI X9.24-1:2017, Annex A (check values), §7.4 (components)
//   - SP800-38B: NIST, CMAC
package key

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"swipewell/firmware/keys/sm4"
	"swipewell/hal"
)

const redacted = "[key]"

// ErrPrivate is what every marshaller gets.
var ErrPrivate = errors.New("key: key bytes are never marshalled")

// Key is a key and the cipher it is for. Copies share the bytes: a Wipe of one
// wipes all. The zero value is no key.
type Key struct {
	_      [0]func() // == does not compile; keys are compared by Same
	alg    hal.KeyAlg
	secret *hal.Secret // fmt shows the address of a function behind it, and no more
}

// New takes over b: the caller must not keep or change it. hal.ErrKeyLength if
// b does not fit alg.
func New(alg hal.KeyAlg, b []byte) (Key, error) {
	if !LengthOK(alg, len(b)) {
		return Key{}, fmt.Errorf("%w: %d bytes", hal.ErrKeyLength, len(b))
	}
	return Key{alg: alg, secret: hal.NewSecret(b)}, nil
}

// LengthOK tells whether a key of alg may have n bytes.
func LengthOK(alg hal.KeyAlg, n int) bool {
	switch alg {
	case hal.AlgDES:
		return n == 8
	case hal.AlgTDES2, hal.AlgSM4:
		return n == 16
	case hal.AlgTDES3:
		return n == 24
	case hal.AlgAES:
		return n == 16 || n == 24 || n == 32
	}
	return false
}

// Alg is the cipher the key is for.
func (k Key) Alg() hal.KeyAlg { return k.alg }

// Len is the number of bytes; 0 for no key and after Wipe.
func (k Key) Len() int { return k.secret.Len() }

// IsZero tells that there is no key (any more).
func (k Key) IsZero() bool { return k.secret.Len() == 0 }

// Use lends the bytes to fn. They are valid only until fn returns.
func (k Key) Use(fn func(b []byte)) { k.secret.Use(fn) }

// Wipe overwrites the bytes, of every copy.
func (k Key) Wipe() { k.secret.Wipe() }

// Clone has bytes of its own.
func (k Key) Clone() Key {
	if k.IsZero() {
		return Key{}
	}
	var b []byte
	k.Use(func(own []byte) { b = append(make([]byte, 0, len(own)), own...) })
	return Key{alg: k.alg, secret: hal.NewSecret(b)}
}

// Same compares cipher and bytes in a time that does not depend on the bytes.
func (k Key) Same(o Key) bool {
	same := false
	k.Use(func(a []byte) {
		o.Use(func(b []byte) { same = k.alg == o.alg && subtle.ConstantTimeCompare(a, b) == 1 })
	})
	return same
}

// Block is the cipher. It holds an expanded key that Go cannot wipe: use it and
// let it go. hal.ErrNoKey if there is no key.
func (k Key) Block() (b cipher.Block, err error) {
	k.Use(func(raw []byte) {
		switch k.alg {
		case hal.AlgDES:
			b, err = des.NewCipher(raw)
		case hal.AlgTDES2:
			var full [24]byte
			defer clear(full[:])
			copy(full[copy(full[:], raw):], raw) // K3 = K1: SP800-67 §3.2, keying option 2
			b, err = des.NewTripleDESCipher(full[:])
		case hal.AlgTDES3:
			b, err = des.NewTripleDESCipher(raw)
		case hal.AlgSM4:
			b, err = sm4.NewCipher(raw)
		case hal.AlgAES:
			b, err = aes.NewCipher(raw)
		}
	})
	if k.IsZero() {
		return nil, hal.ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", hal.ErrKeyLength, err)
	}
	return b, nil
}

// IsDES tells whether the key is for DES, single or triple.
func (k Key) IsDES() bool { return IsDES(k.alg) }

// IsDES tells whether alg is DES, single or triple: only these have parity.
func IsDES(alg hal.KeyAlg) bool {
	return alg == hal.AlgDES || alg == hal.AlgTDES2 || alg == hal.AlgTDES3
}

// Left is the single-length DES key of the first eight bytes, Right that of the
// next eight; X9.9 and X9.19 want them. A single-length key is its own left
// half, and has no right one.
func (k Key) Left() (Key, error) { return k.part(0) }

// Right is described at Left.
func (k Key) Right() (Key, error) { return k.part(8) }

func (k Key) part(from int) (out Key, err error) {
	if !k.IsDES() || k.Len() < from+8 {
		return Key{}, hal.ErrKeyUse
	}
	k.Use(func(b []byte) { out, err = New(hal.AlgDES, append([]byte(nil), b[from:from+8]...)) })
	return out, err
}

// Nothing of a Key is printed, by any verb.
func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalText() ([]byte, error) { return nil, ErrPrivate }
func (Key) MarshalJSON() ([]byte, error) { return nil, ErrPrivate }

// MarshalBinary serves CBOR and gob too.
func (Key) MarshalBinary() ([]byte, error) { return nil, ErrPrivate }

// GobEncode refuses as the others do.
func (Key) GobEncode() ([]byte, error) { return nil, ErrPrivate }
