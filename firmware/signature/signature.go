// Package signature signs text files that a device believes: rule files and
// tables for chip cards. Such a file ends in a line
//
//	signature ed25519 KEYID BASE64
//
// over every byte before that line, so that it stays a text that people read and
// compare.
//
// Sources:
//   - RFC8032: RFC 8032, Ed25519
//   - WIRE: firmware/doc/wire.md, "Signed files"
package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const word = "signature ed25519 "

// Errors of a signature.
var (
	ErrUnsigned   = errors.New("signature: the file is not signed")
	ErrSignature  = errors.New("signature: it does not fit")
	ErrUnknownKey = errors.New("signature: made with a key that this device does not know")
)

// KeyID names a public key: the first eight hex digits of its SHA-256.
func KeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:4])
}

// Split divides a text from its last line, if that is a signature.
func Split(text string) (body, line string) {
	t := strings.TrimRight(text, " \t\r\n")
	i := strings.LastIndexByte(t, '\n') + 1
	if !strings.HasPrefix(t[i:], word) {
		return text, ""
	}
	return text[:i], t[i:]
}

// Sign gives the text with its signature; one that it has is replaced.
func Sign(text string, key ed25519.PrivateKey) string {
	body, _ := Split(text)
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	pub, _ := key.Public().(ed25519.PublicKey)
	return body + word + KeyID(pub) + " " + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(body))) + "\n"
}

// Verify checks the signature of a text against the keys that a device knows,
// and gives the id of the one that fits.
func Verify(text string, keys []ed25519.PublicKey) (id string, err error) {
	body, line := Split(text)
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

// Line is the number of the line on which the signature stands or would stand,
// for an error that names it.
func Line(text string) int {
	body, _ := Split(text)
	return strings.Count(body, "\n") + 1
}

// Key reads a public key: 32 bytes in base64.
func Key(s string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("not an ed25519 public key in base64")
	}
	return b, nil
}
