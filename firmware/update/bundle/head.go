package bundle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// magic begins a bundle.
const magic = "SWB1"

// domain is put before a manifest that is signed, so that no signature for
// another purpose fits.
const domain = "swipewell bundle v1\n"

// maxSignatures that a head carries.
const maxSignatures = 8

// KeyID names a public key: the first eight bytes of its SHA-256.
type KeyID [8]byte

func (k KeyID) String() string { return fmt.Sprintf("%x", k[:]) }

// IDOf is a public key's name.
func IDOf(pub ed25519.PublicKey) KeyID {
	s := sha256.Sum256(pub)
	return KeyID(s[:8])
}

// Signature of a manifest.
type Signature struct {
	Key KeyID
	Sig [ed25519.SignatureSize]byte
}

// Head is a bundle up to its payloads.
type Head struct {
	Manifest   *Manifest
	Raw        []byte // the manifest's bytes, which are signed
	Signatures []Signature
}

// Keyring is whom a device believes.
type Keyring struct {
	Production  []ed25519.PublicKey
	Need        int                 // so many different production keys; below 1 counts as 1
	Development []ed25519.PublicKey // any one; a device in the field has none
}

// Errors of signatures.
var (
	ErrUnsigned   = errors.New("bundle: too few signatures of keys that this device knows")
	ErrSignature  = errors.New("bundle: a signature does not fit")
	ErrNotABundle = errors.New("bundle: not a bundle")
)

// Sign adds a signature; one of the same key is replaced.
func (h *Head) Sign(key ed25519.PrivateKey) {
	pub, _ := key.Public().(ed25519.PublicKey)
	s := Signature{Key: IDOf(pub), Sig: [64]byte(ed25519.Sign(key, append([]byte(domain), h.Raw...)))}
	for i := range h.Signatures {
		if h.Signatures[i].Key == s.Key {
			h.Signatures[i] = s
			return
		}
	}
	h.Signatures = append(h.Signatures, s)
}

// Verify tells who signed, if that is enough: [ErrUnsigned] if not, and
// [ErrSignature] if one of a known key does not fit.
func (k Keyring) Verify(h *Head) (by []KeyID, err error) {
	msg := append([]byte(domain), h.Raw...)
	count := func(keys []ed25519.PublicKey) (n int) {
		seen := map[KeyID]bool{}
		for _, pub := range keys {
			id := IDOf(pub)
			for _, s := range h.Signatures {
				if s.Key != id || seen[id] {
					continue
				}
				if !ed25519.Verify(pub, msg, s.Sig[:]) {
					err = fmt.Errorf("%w: key %v", ErrSignature, id)
					return 0
				}
				seen[id] = true
				by = append(by, id)
				n++
			}
		}
		return n
	}
	production := count(k.Production)
	if err != nil {
		return nil, err
	}
	development := count(k.Development)
	if err != nil {
		return nil, err
	}
	need := max(k.Need, 1)
	if production < need && development == 0 {
		return nil, fmt.Errorf("%w: %d of %d", ErrUnsigned, production, need)
	}
	return by, nil
}

// Append adds the head's bytes.
func (h *Head) Append(b []byte) []byte {
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(h.Raw)))
	b = append(append(b, h.Raw...), byte(len(h.Signatures)))
	for _, s := range h.Signatures {
		b = append(append(b, s.Key[:]...), s.Sig[:]...)
	}
	return b
}

// ReadHead reads a head and nothing behind it. It believes nothing of it yet:
// see [Keyring.Verify]. [ErrNotABundle], [ErrManifest], and io.ErrUnexpectedEOF
// for one that is cut.
func ReadHead(r io.Reader) (*Head, error) {
	var lead [8]byte
	if err := full(r, lead[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(lead[4:])
	if string(lead[:4]) != magic || n > MaxManifest {
		return nil, fmt.Errorf("%w: it begins with % X", ErrNotABundle, lead)
	}
	h := &Head{}
	var err error
	// By what comes, not by what is announced.
	if h.Raw, err = io.ReadAll(io.LimitReader(r, int64(n))); err != nil {
		return nil, err
	}
	if len(h.Raw) < int(n) {
		return nil, io.ErrUnexpectedEOF
	}
	var count [1]byte
	if err := full(r, count[:]); err != nil {
		return nil, err
	}
	if count[0] > maxSignatures {
		return nil, fmt.Errorf("%w: %d signatures", ErrNotABundle, count[0])
	}
	for range count[0] {
		var b [8 + ed25519.SignatureSize]byte
		if err := full(r, b[:]); err != nil {
			return nil, err
		}
		h.Signatures = append(h.Signatures, Signature{KeyID(b[:8]), [ed25519.SignatureSize]byte(b[8:])})
	}
	if h.Manifest, err = ParseManifest(h.Raw); err != nil {
		return nil, err
	}
	return h, nil
}

// full reads b, and takes an early end for a cut.
func full(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Section is the byte before each payload: its index in the manifest. A file may
// leave payloads out, and has them in any order.
func Section(r io.Reader, m *Manifest) (int, error) {
	var b [1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, err // io.EOF: no more
	}
	if int(b[0]) >= len(m.Payloads) {
		return 0, fmt.Errorf("%w: payload %d of %d", ErrNotABundle, b[0], len(m.Payloads))
	}
	return int(b[0]), nil
}
