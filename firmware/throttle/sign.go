package throttle

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"swipewell/firmware/signature"
)

// ErrOlder: rules are replaced by newer ones only.
var ErrOlder = errors.New("throttle: not newer than the rules in force")

// Load reads a set as a device does: signed by a known key, without an error,
// and newer than what is in force (have 0: anything is). On any error the rules
// in force stay.
func Load(file, text string, keys []ed25519.PublicKey, have int) (*Rules, error) {
	id, err := signature.Verify(text, keys)
	if err != nil {
		return nil, Errors{{file, signature.Line(text), 1, err.Error()}}
	}
	f, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	if f.Version <= have {
		return nil, Errors{{file, 1, 1, fmt.Sprintf("version %d: %v (version %d)", f.Version, ErrOlder, have)}}
	}
	r, err := Build(f)
	if err != nil {
		return nil, Errors{{file, 1, 1, err.Error()}}
	}
	r.KeyID = id
	return r, nil
}
