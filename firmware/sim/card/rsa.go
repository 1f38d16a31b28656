package card

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // B2 Annex B3
	_ "embed"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/BurntSushi/toml"
)

// RSAKey is a private key of the tree keys/. All of them are test keys.
type RSAKey struct {
	Name string
	N    []byte // modulus
	E    []byte // 03 or 010001
	p, q *big.Int
	dp   *big.Int
	dq   *big.Int
	qinv *big.Int
}

//go:embed keys/test-keys.toml
var keyText string

// ErrKey says that a key does not exist or is none.
var ErrKey = errors.New("card: no such test key")

type keyRow struct {
	Name string
	E    int64
	P, Q string
}

var keyring = sync.OnceValues(func() (map[string]*RSAKey, error) {
	var file struct{ Key []keyRow }
	if _, err := toml.Decode(keyText, &file); err != nil {
		return nil, err
	}
	ring := map[string]*RSAKey{}
	for _, r := range file.Key {
		p, ok1 := new(big.Int).SetString(r.P, 16)
		q, ok2 := new(big.Int).SetString(r.Q, 16)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("%w: %s", ErrKey, r.Name)
		}
		ring[r.Name] = newRSA(r.Name, p, q, r.E)
	}
	return ring, nil
})

func newRSA(name string, p, q *big.Int, e int64) *RSAKey {
	one := big.NewInt(1)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	d := new(big.Int).ModInverse(big.NewInt(e), new(big.Int).Mul(p1, q1))
	return &RSAKey{
		Name: name, N: new(big.Int).Mul(p, q).Bytes(), E: big.NewInt(e).Bytes(), p: p, q: q,
		dp: new(big.Int).Mod(d, p1), dq: new(big.Int).Mod(d, q1), qinv: new(big.Int).ModInverse(q, p),
	}
}

// FindKey finds a key by name: "ca-1984", "issuer-1408", "icc-1152-e65537".
func FindKey(name string) (*RSAKey, error) {
	ring, err := keyring()
	if err != nil {
		return nil, err
	}
	k, ok := ring[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrKey, name)
	}
	return k, nil
}

// private is the RSA primitive with the private key, by the Chinese remainder
// theorem. B2 Annex B2.1.3.
func (k *RSAKey) private(m []byte) []byte {
	x := new(big.Int).SetBytes(m)
	a := new(big.Int).Exp(x, k.dp, k.p)
	b := new(big.Int).Exp(x, k.dq, k.q)
	h := new(big.Int).Sub(a, b)
	h.Mul(h, k.qinv).Mod(h, k.p)
	return h.Mul(h, k.q).Add(h, b).FillBytes(make([]byte, len(k.N)))
}

// sign makes a signature with recovery: 6A, text, hash over text and what lies
// behind, BC. text is as long as the key allows: B2 Annex A2.1.
func (k *RSAKey) sign(text []byte, behind ...[]byte) []byte {
	h := sha1.New() //nolint:gosec // as above
	h.Write(text)
	for _, b := range behind {
		h.Write(b)
	}
	m := append(append([]byte{0x6A}, text...), h.Sum(nil)...)
	return k.private(append(m, 0xBC))
}

// certificate signs another key: head is what stands before the lengths. It
// returns certificate and remainder. B2 §5.1 (Table 1), §6.1 (Table 10).
func (k *RSAKey) certificate(head []byte, of *RSAKey, static []byte) (cert, remainder []byte) {
	text := append(append([]byte(nil), head...), byte(len(of.N)), byte(len(of.E)))
	room := len(k.N) - 22 - len(text)
	if len(of.N) <= room {
		text = append(text, of.N...)
		text = append(text, bytes.Repeat([]byte{0xBB}, room-len(of.N))...)
	} else {
		text, remainder = append(text, of.N[:room]...), of.N[room:]
	}
	return k.sign(text, remainder, of.E, static), remainder
}

// signData signs data with padding BB: SSAD and SDAD. B2 §5.4, §6.5.
func (k *RSAKey) signData(head, behind []byte) []byte {
	pad := len(k.N) - 22 - len(head)
	if pad < 0 {
		return nil
	}
	return k.sign(append(append([]byte(nil), head...), bytes.Repeat([]byte{0xBB}, pad)...), behind)
}
