package recovery

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"swipewell/firmware/card"
	"swipewell/firmware/pos"
)

const pan = "6225880000000000010"

var record = pos.Record{RecordID: pos.RecordID{Context: "bench", Batch: 12, STAN: 345}, Class: pos.ClassReversal, Kind: pos.KindSale, State: pos.RecordArmed, Amount: pos.Fen(1280),
	Masked: "622588*********0010", Process: "000000", Entry: "021", Condition: "00", Type60: "22000012000050", Reason: "98", At: pos.Time{Wall: 1_772_344_000_000}}

func pair(t testing.TB) (*Private, *Public) {
	t.Helper()
	a, b, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	priv, err1 := ParsePrivate(a)
	pub, err2 := ParsePublic(b + "\n")
	if err1 != nil || err2 != nil || priv.ID() != pub.ID() {
		t.Fatal(err1, err2)
	}
	return priv, pub
}

func sealable(t testing.TB) []byte {
	t.Helper()
	p, err := card.ParsePAN([]byte(pan))
	if err != nil {
		t.Fatal(err)
	}
	e, err := card.ParseExpiry("3012")
	if err != nil {
		t.Fatal(err)
	}
	return card.AppendSealable(nil, p, e)
}

func TestSealAndOpen(t *testing.T) {
	priv, pub := pair(t)
	aad := []byte("swipewell/store/1/outbox/1\x00…")
	sealed, err := pub.Seal(record, sealable(t), aad)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(pan)) || bytes.Contains(sealed, []byte("bench")) {
		t.Error("in clear")
	}
	im, err := priv.Open(sealed, aad)
	if err != nil {
		t.Fatal(err)
	}
	want := record
	want.State, want.Masked = "", ""
	var digits string
	im.PAN.Reveal(func(d []byte) { digits = string(d) })
	if im.Record != want || digits != pan || im.Expiry.Reveal() != "3012" {
		t.Errorf("%+v", im.Record)
	}
	// wire.md says how large it is.
	if len(sealed) > 300 {
		t.Errorf("an image of %d bytes", len(sealed))
	}
	t.Logf("%d bytes", len(sealed))
	again, _ := pub.Seal(record, sealable(t), aad)
	if bytes.Equal(sealed, again) {
		t.Error("two images of one record are alike")
	}
	other, _ := pair(t)
	if _, err := other.Open(sealed, aad); !errors.Is(err, ErrSealed) {
		t.Errorf("another key: %v", err)
	}
	if _, err := priv.Open(sealed, append(aad, 'x')); !errors.Is(err, ErrSealed) {
		t.Errorf("another place: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := priv.Open(bad, aad); err == nil {
			t.Errorf("byte %d changed, and it opens", i)
		}
		if _, err := priv.Open(sealed[:i], aad); err == nil {
			t.Errorf("cut at %d, and it opens", i)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %s", priv, priv, priv, priv); strings.Count(s, priv.ID().String()) != 4 || len(s) > 140 {
		t.Errorf("a private key prints %q", s)
	}
}

// The suite is the one that wire.md names: RFC 9180 §A.1 has X25519 and HKDF-SHA256 as ours; the key below is its
// recipient's, skRm and pkRm.
func TestKeyOfTheRFC(t *testing.T) {
	raw, _ := hex.DecodeString("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
	priv, err := ParsePrivate(base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(priv.key.PublicKey().Bytes()); got != "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d" {
		t.Errorf("public key %s", got)
	}
}

func TestBadKeys(t *testing.T) {
	for name, s := range map[string]string{"empty": "", "no base64": "%%%", "short": base64.StdEncoding.EncodeToString(make([]byte, 31)), "low order": base64.StdEncoding.EncodeToString(make([]byte, 32))} {
		if _, err := ParsePublic(s); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParsePrivate("AAAA"); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

func export(t testing.TB, pub *Public) (string, Item) {
	t.Helper()
	aad := []byte("aad")
	sealed, err := pub.Seal(record, sealable(t), aad)
	if err != nil {
		t.Fatal(err)
	}
	it := Item{Class: record.Class, Batch: record.Batch, STAN: record.STAN, Kind: record.Kind, State: pos.RecordQueued, Amount: 1280, Masked: record.Masked, AAD: hex.EncodeToString(aad), Sealed: sealed}
	var b bytes.Buffer
	if err := Write(&b, Head{Terminal: "20260001", Merchant: "898100012340001", Store: "aa", At: 1}, []Item{it, it}); err != nil {
		t.Fatal(err)
	}
	return b.String(), it
}

func TestExport(t *testing.T) {
	priv, pub := pair(t)
	text, it := export(t, pub)
	h, items, err := Read(strings.NewReader("swipewell# recovery\r\n" + text + "swipewell# "))
	if err != nil || len(items) != 2 || h.Terminal != "20260001" {
		t.Fatalf("%+v %d %v", h, len(items), err)
	}
	if im, err := priv.OpenItem(items[0]); err != nil || im.Record.Amount.Minor != 1280 {
		t.Errorf("%+v %v", im.Record, err)
	}
	// An image moved to the line of another record is found.
	it.STAN++
	if _, err := priv.OpenItem(it); !errors.Is(err, ErrSealed) {
		t.Errorf("moved: %v", err)
	}
	lines := strings.SplitAfter(text, "\n")
	for name, bad := range map[string]string{"empty": "", "no end": strings.Join(lines[:3], ""), "one item less": lines[0] + lines[1] + lines[3], "cut in a line": text[:len(text)/2],
		"another version": strings.Replace(text, `recovery":1`, `recovery":2`, 1), "class 9": strings.Replace(text, `"class":1`, `"class":9`, 1), "a line too long": lines[0] + strings.Repeat("x", maxLine+1) + "\n" + lines[3]} {
		if _, _, err := Read(strings.NewReader(bad)); !errors.Is(err, ErrExport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzExport(f *testing.F) {
	priv, pub := pair(f)
	text, it := export(f, pub)
	f.Add(text)
	f.Add("{\"swipewell_recovery\":1}\n{\"end\":0}\n")
	f.Fuzz(func(t *testing.T, s string) {
		h, items, err := Read(strings.NewReader(s))
		if err != nil {
			if !errors.Is(err, ErrExport) {
				t.Errorf("not an ErrExport: %v", err)
			}
			return
		}
		for _, x := range items {
			if im, err := priv.OpenItem(x); err == nil && (!bytes.Equal(x.Sealed, it.Sealed) || im.Record.STAN != record.STAN) {
				t.Error("an image that nobody sealed opens")
			}
		}
		var b bytes.Buffer
		if err := Write(&b, h, items); err != nil {
			t.Fatal(err)
		}
		if _, again, err := Read(&b); err != nil || len(again) != len(items) {
			t.Errorf("written and not read: %v", err)
		}
	})
}

// BenchmarkSeal is what the intent's commit costs more: time, and bytes of an image.
func BenchmarkSeal(b *testing.B) {
	_, pub := pair(b)
	plain, n := sealable(b), 0
	for b.Loop() {
		im, err := pub.Seal(record, plain, []byte("aad"))
		if err != nil {
			b.Fatal(err)
		}
		n = len(im)
	}
	b.ReportMetric(float64(n), "bytes")
}
