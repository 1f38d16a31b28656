package card

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
)

var makeKeys = flag.Bool("make-keys", false, "make the test keys anew: every card in testdata changes")

// TestMakeKeys makes keys/test-keys.toml; without the flag it checks what is there.
func TestMakeKeys(t *testing.T) {
	specs := []struct {
		name string
		bits int
		e    int64
	}{
		{"ca-1984", 1984, 3}, {"ca-1408", 1408, 3}, {"ca-1152-e65537", 1152, 65537}, {"ca-512", 512, 3},
		{"issuer-1976", 1976, 3}, {"issuer-1408", 1408, 3}, {"issuer-1152-e65537", 1152, 65537}, {"issuer-768", 768, 3}, {"issuer-512", 512, 3},
		{"icc-1408", 1408, 3}, {"icc-1152", 1152, 3}, {"icc-1024-e65537", 1024, 65537}, {"icc-512", 512, 3}, {"pin-1152", 1152, 3}, {"pin-512", 512, 3},
	}
	if *makeKeys {
		var b strings.Builder
		b.WriteString("# TEST KEYS. Made for simulated cards and published here: they protect nothing.\n")
		for _, s := range specs {
			p, q := primes(t, s.bits, s.e)
			fmt.Fprintf(&b, "\n[[key]]\nName = %q\nE = %d\nP = \"%X\"\nQ = \"%X\"\n", s.name, s.e, p, q)
		}
		if err := os.WriteFile("keys/test-keys.toml", []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, s := range specs {
		k, err := FindKey(s.name)
		if err != nil {
			t.Fatal(err)
		}
		if len(k.N)*8 != s.bits || new(big.Int).SetBytes(k.E).Int64() != s.e {
			t.Errorf("%s: %d bits, e %X", s.name, len(k.N)*8, k.E)
		}
		m := append([]byte{0x6A}, bytes.Repeat([]byte{0xBB}, len(k.N)-1)...)
		back := new(big.Int).Exp(new(big.Int).SetBytes(k.private(m)), new(big.Int).SetBytes(k.E), new(big.Int).SetBytes(k.N))
		if !bytes.Equal(back.Bytes(), m) {
			t.Errorf("%s: does not recover", s.name)
		}
	}
	if _, err := FindKey("none"); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

func primes(t *testing.T, bits int, e int64) (p, q *big.Int) {
	for {
		var err [2]error
		p, err[0] = rand.Prime(rand.Reader, bits/2)
		q, err[1] = rand.Prime(rand.Reader, bits/2)
		if err[0] != nil || err[1] != nil {
			t.Fatal(err)
		}
		one, exp := big.NewInt(1), big.NewInt(e)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		n := new(big.Int).Mul(p, q)
		if p.Cmp(q) != 0 && n.BitLen() == bits && new(big.Int).GCD(nil, nil, phi, exp).Cmp(one) == 0 {
			return p, q
		}
	}
}
