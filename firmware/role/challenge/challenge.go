// Package challenge lets a technician in at the service cable without a PIN that
// crosses it: the device says something that nobody said before, and the
// technician's key signs it, once, for this device, this run of it and a few
// minutes. It is pure: randomness and both clocks come in.
//
// Sources:
//   - RFC8032: Ed25519
//   - WIRE: firmware/doc/wire.md §9, the two texts
package challenge

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/firmware/role"
)

// Begin of the two texts, and of what is signed: a signature for anything else
// that the key may sign is none here.
const (
	challengeWord = "SWC1."
	responseWord  = "SWR1."
	signedScope   = "swipewell challenge v1\n"
)

// ErrForm says that a text is no challenge or no response.
var ErrForm = errors.New("challenge: not in the form of one")

// MaxSerial is the longest serial number of a device, in characters.
const MaxSerial = 32

// Challenge is what the device asks to be signed.
type Challenge struct {
	Serial string // of the device: printable ASCII
	Boot   [16]byte
	Nonce  [16]byte
	Role   role.Role
	From   time.Time     // the device's wall clock, whole seconds: for the technician's eyes
	Window time.Duration // whole seconds, up to 18 h; the device measures it by a clock that nobody sets
}

var roles = [...]role.Role{1: role.Cashier, 2: role.Supervisor, 3: role.Technician, 4: role.Engineer}

// pack: length and serial, boot, nonce, role, from, window. WIRE.
func (c Challenge) pack() ([]byte, error) {
	if !serialOK(c.Serial) || c.Window < time.Second || c.Window >= 1<<16*time.Second || c.From.Unix() < 0 {
		return nil, ErrForm
	}
	code := byte(0)
	for i, r := range roles {
		if i > 0 && r == c.Role {
			code = byte(i)
		}
	}
	if code == 0 {
		return nil, fmt.Errorf("%w: role %q", ErrForm, c.Role)
	}
	b := append([]byte{byte(len(c.Serial))}, c.Serial...)
	b = append(append(b, c.Boot[:]...), c.Nonce[:]...)
	b = binary.BigEndian.AppendUint64(append(b, code), uint64(c.From.Unix()))
	return binary.BigEndian.AppendUint16(b, uint16(c.Window/time.Second)), nil
}

const fixedLen = 1 + 16 + 16 + 1 + 8 + 2

// Parse reads a challenge as the device printed it; blanks and line ends, which
// terminals put in, do not count. ErrForm for anything else.
func Parse(text string) (Challenge, error) {
	b, err := unpack(challengeWord, text)
	if err != nil {
		return Challenge{}, err
	}
	if len(b) < fixedLen || len(b) != fixedLen+int(b[0]) {
		return Challenge{}, fmt.Errorf("%w: %d bytes", ErrForm, len(b))
	}
	n := int(b[0])
	c := Challenge{Serial: string(b[1 : 1+n])}
	b = b[1+n:]
	copy(c.Boot[:], b)
	copy(c.Nonce[:], b[16:])
	if code := int(b[32]); code > 0 && code < len(roles) {
		c.Role = roles[code]
	}
	from := binary.BigEndian.Uint64(b[33:])
	c.From, c.Window = time.Unix(int64(from&(1<<62-1)), 0).UTC(), time.Duration(binary.BigEndian.Uint16(b[41:]))*time.Second
	if _, err := c.pack(); err != nil || from >= 1<<40 {
		return Challenge{}, fmt.Errorf("%w: a field out of its range", ErrForm)
	}
	return c, nil
}

// Sign answers a challenge. Who signs should have looked at what Parse shows.
func Sign(text string, key ed25519.PrivateKey) (string, error) {
	c, err := Parse(text)
	if err != nil {
		return "", err
	}
	raw, err := c.pack()
	if err != nil {
		return "", err
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", ErrForm
	}
	digest, id := digestOf(raw), idOf(pub)
	b := append(append(digest[:], id[:]...), ed25519.Sign(key, append([]byte(signedScope), raw...))...)
	return responseWord + base64.RawURLEncoding.EncodeToString(b), nil
}

// response is what Sign made, in parts.
type response struct {
	digest [8]byte // of the challenge
	key    [8]byte
	sig    [ed25519.SignatureSize]byte
}

func parseResponse(text string) (r response, err error) {
	b, err := unpack(responseWord, text)
	if err != nil {
		return r, err
	}
	if len(b) != 8+8+ed25519.SignatureSize {
		return r, fmt.Errorf("%w: %d bytes", ErrForm, len(b))
	}
	copy(r.digest[:], b)
	copy(r.key[:], b[8:])
	copy(r.sig[:], b[16:])
	return r, nil
}

// maxText is longer than any of the two, with line ends.
const maxText = 400

func unpack(word, text string) ([]byte, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%w: %d characters", ErrForm, len(text))
	}
	text, ok := strings.CutPrefix(strings.Join(strings.Fields(text), ""), word)
	if !ok {
		return nil, fmt.Errorf("%w: it begins with %s", ErrForm, word)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: base64", ErrForm)
	}
	return b, nil
}

func digestOf(raw []byte) (d [8]byte) {
	sum := sha256.Sum256(raw)
	copy(d[:], sum[:])
	return d
}

// idOf names a public key; its first four bytes are the name that rule files use.
func idOf(pub ed25519.PublicKey) (id [8]byte) {
	sum := sha256.Sum256(pub)
	copy(id[:], sum[:])
	return id
}

func serialOK(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7E {
			return false
		}
	}
	return len(s) > 0 && len(s) <= MaxSerial
}
