package card

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestScopesAreNotJoinable: what names a card in the velocity table, in the
// desk's history, in a record and on a staff card come from four different
// messages, none of which begins another, so that who has two of the names and
// not the key can tell nothing about a third. PCI, THROTTLE §3.2.
func TestScopesAreNotJoinable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`62[0-9]{14}`).Draw(t, "pan")
		pan, err := ParsePAN([]byte(digits))
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		var lent [][]byte
		key := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")
		mac := func(b []byte) (sum [32]byte, err error) {
			said, lent = append(said, string(b)), append(lent, b)
			h := hmac.New(sha256.New, key)
			h.Write(b)
			copy(sum[:], h.Sum(nil))
			return sum, nil
		}
		s, err := ScopeOf(mac, pan)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := Ref(mac, pan)
		if err != nil {
			t.Fatal(err)
		}
		staff, err := StaffTag(mac, []byte(digits))
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range said {
			for k, b := range said {
				if i != k && strings.HasPrefix(a, b) {
					t.Fatalf("%q begins %q", b, a)
				}
			}
			if strings.Trim(string(lent[i]), "\x00") != "" {
				t.Fatal("a buffer with digits was not zeroed")
			}
		}
		names := []string{hex.EncodeToString(s.Key[:]), hex.EncodeToString(binary.BigEndian.AppendUint64(nil, s.Card)),
			hex.EncodeToString(binary.BigEndian.AppendUint32(nil, s.Bin8)), hex.EncodeToString(ref[:]), hex.EncodeToString(staff[:]), hex.EncodeToString(s.Log[:])}
		for i, a := range names {
			for k, b := range names {
				if i != k && strings.Contains(a, b) {
					t.Fatalf("name %d holds name %d", i, k)
				}
			}
		}
		// A card of the same series shares the name of the series and no other.
		other, err := ParsePAN([]byte(digits[:8] + strings.Map(func(r rune) rune { return '0' + ('9' - r) }, digits[8:])))
		if err != nil {
			t.Fatal(err)
		}
		if o, err := ScopeOf(mac, other); err != nil || o.Bin8 != s.Bin8 || o.Key == s.Key || o.Card == s.Card {
			t.Fatalf("%v %v", o, err)
		}
	})
	broken := errors.New("no key")
	pan, _ := ParsePAN([]byte(testPAN))
	if s, err := ScopeOf(func([]byte) ([32]byte, error) { return [32]byte{1}, broken }, pan); !errors.Is(err, broken) || s != (Scope{}) {
		t.Errorf("without a key: %v %v", s, err)
	}
}
