package throttle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A signed file ends in a line
//
//	signature ed25519 KEYID BASE64
//
// over every byte before that line. KEYID is the first eight hex digits of the
// SHA-256 of the public key.
const signatureWord = "signature ed25519 "

// Errors of a signature.
var (
	ErrUnsigned   = errors.New("throttle: the file is not signed")
	ErrSignature  = errors.New("throttle: the signature does not fit")
	ErrUnknownKey = errors.New("throttle: signed with a key that this device does not know")
	ErrOlder      = errors.New("throttle: not newer than the rules in force")
)

// KeyID names a public key.
func KeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:4])
}

// splitSignature divides a text from its last line, if that is a signature.
func splitSignature(text string) (body, line string) {
	t := strings.TrimRight(text, " \t\r\n")
	i := strings.LastIndexByte(t, '\n') + 1
	if !strings.HasPrefix(t[i:], signatureWord) {
		return text, ""
	}
	return text[:i], t[i:]
}

// Sign gives the text with its signature; one that it has is replaced.
func Sign(text string, key ed25519.PrivateKey) string {
	body, _ := splitSignature(text)
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	pub, _ := key.Public().(ed25519.PublicKey)
	return body + signatureWord + KeyID(pub) + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(body))) + "\n"
}

// Verify checks the signature of a text against the keys that a device knows,
// and gives the id of the one that fits.
func Verify(text string, keys []ed25519.PublicKey) (id string, err error) {
	body, line := splitSignature(text)
	if line == "" {
		return "", ErrUnsigned
	}
	parts := strings.Fields(line)
	if len(parts) != 4 {
		return "", fmt.Errorf("%w: its line has %d words", ErrSignature, len(parts))
	}
	sig, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(sig) != ed25519.SignatureSize {
		return "", fmt.Errorf("%w: not a signature", ErrSignature)
	}
	for _, k := range keys {
		if KeyID(k) != parts[2] {
			continue
		}
		if !ed25519.Verify(k, []byte(body), sig) {
			return "", ErrSignature
		}
		return parts[2], nil
	}
	return "", fmt.Errorf("%w: %.8s", ErrUnknownKey, parts[2])
}

// signatureAt is the line of the signature, for an error that names it.
func signatureAt(text string) (line int) {
	body, _ := splitSignature(text)
	return strings.Count(body, "\n") + 1
}

// Load reads a set as a device does: signed by a known key, without an error,
// and newer than what is in force (have 0: anything is). On any error the rules
// in force stay.
func Load(file, text string, keys []ed25519.PublicKey, have int) (*Rules, error) {
	id, err := Verify(text, keys)
	if err != nil {
		return nil, Errors{{file, signatureAt(text), 1, err.Error()}}
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
