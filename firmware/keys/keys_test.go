package keys_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/drivers/softkeys"
	"swipewell/firmware/card"
	"swipewell/firmware/keys"
	"swipewell/firmware/keys/sm4"
	"swipewell/hal"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// store is a key store with this TMK, in a folder of the test.
func store(t testing.TB, tmk string) *softkeys.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := softkeys.Provision(path, unhex(tmk)); err != nil {
		t.Fatal(err)
	}
	return opened(t, path)
}

func opened(t testing.TB, path string) *softkeys.Store {
	t.Helper()
	s, err := softkeys.Open(softkeys.Opts{Path: path, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const benchTMK = "CA5D92598DCA48CE8A4C76361A9269E9"

func tdes(k []byte) cipher.Block {
	b, err := des.NewTripleDESCipher(append(append([]byte(nil), k...), k[:24-len(k)]...))
	if err != nil {
		panic(err)
	}
	return b
}

func ecb(b cipher.Block, src []byte) []byte {
	out := make([]byte, len(src))
	for i := 0; i < len(src); i += b.BlockSize() {
		b.Encrypt(out[i:], src[i:])
	}
	return out
}

// slot is one key of DE 62.
func slot(tmk, k cipher.Block, clear []byte) []byte {
	return append(ecb(tmk, clear), ecb(k, make([]byte, k.BlockSize()))[:4]...)
}

const de62 = "6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA"

func taken(t testing.TB, ks hal.KeyStore, form string, b []byte) {
	t.Helper()
	if in, err := keys.LoadSession(ks, form, b); err != nil || in.Kind != keys.KeysTaken || in.Why != nil {
		t.Fatalf("%s %s %v %v", in.Kind, in.Slot, in.Why, err)
	}
}

// HOST §1.7 vector 4 and §5.2: keys from DE 62, then a PIN block and a MAC under them.
func TestWorkingKeysVector(t *testing.T) {
	s := store(t, benchTMK)
	taken(t, s, "003", unhex(de62))
	for slot, want := range map[hal.KeySlot]string{hal.SlotPIK: "8D0A74B8", hal.SlotMAK: "AB7153CA"} {
		if kcv, ok := s.Has(slot); !ok || !bytes.Equal(kcv[:], unhex(want)) {
			t.Errorf("%s: check value %X, want %s", slot, kcv, want)
		}
	}
	pan, _ := card.ParsePAN([]byte("6225882116400091"))
	block, err := keys.PINBlock(s, keys.PINFormat0, hal.NewSecret([]byte("123456")), pan)
	if err != nil || !bytes.Equal(block[:], unhex("710234B5A29C6D65")) {
		t.Errorf("PIN block %X %v", block, err)
	}
	for _, pin := range []string{"123", "1234567890123", "12a4", ""} {
		if _, err := keys.PINBlock(s, keys.PINFormat0, hal.NewSecret([]byte(pin)), pan); !errors.Is(err, keys.ErrPIN) {
			t.Errorf("PIN of %d digits: %v", len(pin), err)
		}
	}
	if _, err := keys.PINBlock(s, hal.PINFormat4, hal.NewSecret([]byte("1234")), pan); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("format 4 under TDES: %v", err)
	}
}

// HOST §1.7 vector 3: a whole message under a MAC key that came from the host.
func TestMACVector(t *testing.T) {
	s := store(t, benchTMK)
	mak, tmk := unhex("0723C80DB5F4CD3D"), tdes(unhex(benchTMK))
	k, _ := des.NewCipher(mak)
	taken(t, s, "001", append(slot(tmk, k, mak), slot(tmk, k, mak)...))
	whole := unhex("0200 3020048000C08015 000000 000000001234 000002 0300 99 3030303030303031 393532373138313832323137383735 313536 0019 26000001000600000000 0043 5F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031")
	for _, alg := range []keys.MACAlg{"", keys.MACECB} {
		if mac, err := keys.MAC(s, alg, whole); err != nil || string(mac[:]) != "B3A092AE" {
			t.Errorf("%s %v", mac, err)
		}
	}
	sign := keys.Signer{Keys: s, Alg: keys.MACECB}
	for mac, want := range map[string]bool{"B3A092AE": true, "B3A092AF": false, "B3A0": false, "": false} {
		if ok, err := sign.Verify(whole, []byte(mac)); ok != want || err != nil {
			t.Errorf("%q: %v %v", mac, ok, err)
		}
	}
	if ok, err := (keys.Signer{}).Verify(whole, []byte("B3A092AE")); ok || !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("no store: %v", err)
	}
	if _, err := keys.MAC(s, "md5", whole); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("an unknown algorithm: %v", err)
	}
}

// Every form of DE 62 puts the keys in force that the host meant.
func TestForms(t *testing.T) {
	s, tmk := store(t, benchTMK), tdes(unhex(benchTMK))
	draw := func(n int, c byte) []byte { b := bytes.Repeat([]byte{c, 0x31, 0x5B, 0x4D, 0x85}, 5)[:n]; return b }
	block := func(k []byte) cipher.Block {
		if len(k) == 8 {
			b, _ := des.NewCipher(k)
			return b
		}
		return tdes(k)
	}
	for form, sizes := range map[string][][2]int{"001": {{8, 2}}, "003": {{16, 2}, {24, 2}}, "004": {{16, 3}, {24, 3}}} {
		for _, c := range sizes {
			var b []byte
			for i := range c[1] {
				k := draw(c[0], byte(0x6A+i))
				b = append(b, slot(tmk, block(k), k)...)
			}
			taken(t, s, form, b)
			for i, slot := range []hal.KeySlot{hal.SlotPIK, hal.SlotMAK, hal.SlotTDK}[:c[1]] {
				k := draw(c[0], byte(0x6A+i))
				if kcv, _ := s.Has(slot); !bytes.Equal(kcv[:], ecb(block(k), make([]byte, 8))[:4]) {
					t.Errorf("form %s, %d bytes, %s: %X", form, c[0], slot, kcv)
				}
			}
		}
	}
}

// SM4: the master key by hand, the session in form 005, a MAC under it.
func TestSM4Session(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "keys"))
	tmk := unhex("1234567890ABCDEFABCDEF0987654321")
	for i, p := range [][]byte{unhex("0123456789ABCDEFFEDCBA9876543210"), unhex("1317131F1900000055115591F1317131")} {
		if _, err := s.LoadComponent(hal.KeyComponent{Slot: hal.SlotTMK, Alg: hal.AlgSM4, Part: i + 1, Bytes: hal.NewSecret(p)}); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := sm4.NewCipher(tmk)
	if _, err := s.JoinComponents(hal.SlotTMK, ecb(b, make([]byte, 16))[:4]); err != nil {
		t.Fatal(err)
	}
	// PIK: blog.csdn.net/M_Kerry/article/details/104625499; MAK: a key that ends with zeros is a whole key here
	pik, mak := unhex("3D66234C49E4296FF9C78D8BACBD6A76 861E83E3"), unhex("0123456789ABCDEF0000000000000000")
	k, _ := sm4.NewCipher(mak)
	de62 := append(pik, slot(b, k, mak)...)
	for _, form := range []string{"", "003"} {
		if in, err := keys.LoadSession(s, form, de62); err != nil || in.Kind != keys.KeysMalformed {
			t.Errorf("as form %q: %v %v", form, in, err)
		}
	}
	taken(t, s, keys.FormSM4, de62)
	want := ecb(k, append([]byte("0200"), make([]byte, 12)...))[:8]
	if mac, err := keys.MAC(s, keys.MACSM4, []byte("0200")); err != nil || !bytes.Equal(mac[:], want) {
		t.Errorf("MAC %X %v, want %X", mac, err, want)
	}
	if _, err := keys.MAC(s, keys.MACECB, []byte("0200")); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("UnionPay's ECB under SM4: %v", err)
	}
	pan, _ := card.ParsePAN([]byte("6230606601007726888"))
	if block, err := s.PINBlock(hal.SlotPIK, hal.PINSM4, hal.NewSecret([]byte("123654")), []byte("6230606601007726888")); err != nil || len(block) != 16 {
		t.Errorf("PIN block %X %v", block, err)
	}
	if _, err := keys.PINBlock(s, hal.PINSM4, hal.NewSecret([]byte("123654")), pan); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("16 bytes in DE 52: %v", err)
	}
}

// Whatever is wrong with DE 62 has its name, and the keys in force stay.
func TestWhatIsWrongHasAName(t *testing.T) {
	s, tmk := store(t, benchTMK), tdes(unhex(benchTMK))
	taken(t, s, "003", unhex(de62))
	before := map[hal.KeySlot][4]byte{}
	for _, slot := range []hal.KeySlot{hal.SlotPIK, hal.SlotMAK} {
		before[slot], _ = s.Has(slot)
	}
	zero := make([]byte, 16)
	good := slot(tmk, tdes(unhex("C5A1EFDE6AD4461B72AF90946EE006AC")), unhex("C5A1EFDE6AD4461B72AF90946EE006AC"))
	flip := func(i int) []byte { b := append(bytes.Clone(good), good...); b[i] ^= 1; return b }
	bare := opened(t, filepath.Join(t.TempDir(), "keys"))
	for name, c := range map[string]struct {
		ks   hal.KeyStore
		form string
		de62 []byte
		kind keys.LoadKind
		slot hal.KeySlot
	}{
		"PIK changed":          {s, "003", flip(3), keys.KeysWrongCheck, hal.SlotPIK},
		"its check value":      {s, "003", flip(17), keys.KeysWrongCheck, hal.SlotPIK},
		"MAK changed":          {s, "003", flip(22), keys.KeysWrongCheck, hal.SlotMAK},
		"its check value last": {s, "003", flip(39), keys.KeysWrongCheck, hal.SlotMAK},
		"empty":                {s, "003", nil, keys.KeysMalformed, ""},
		"39 bytes":             {s, "003", flip(0)[:39], keys.KeysMalformed, ""},
		"SM4 under TDES":       {s, keys.FormSM4, flip(0), keys.KeysMalformed, hal.SlotPIK},
		"SM4 of 24 bytes":      {s, keys.FormSM4, make([]byte, 24), keys.KeysMalformed, ""},
		"zeros":                {s, "003", append(slot(tmk, tdes(zero), zero), good...), keys.KeysWeak, hal.SlotPIK},
		"no master key":        {bare, "003", append(bytes.Clone(good), good...), keys.KeysNoMaster, hal.SlotPIK},
	} {
		in, err := keys.LoadSession(c.ks, c.form, c.de62)
		if err != nil || in.Kind != c.kind || in.Slot != c.slot || in.Why == nil {
			t.Errorf("%s: %s %q %v %v", name, in.Kind, in.Slot, in.Why, err)
		}
	}
	for slot, kcv := range before {
		if after, ok := s.Has(slot); !ok || after != kcv {
			t.Errorf("the %s changed", slot)
		}
	}
	if err := s.Erase(); err != nil {
		t.Fatal(err)
	}
	if in, err := keys.LoadSession(s, "003", unhex(de62)); err != nil || in.Kind != keys.KeysNoMaster {
		t.Errorf("after tamper: %v %v", in, err)
	}
	if got := fmt.Sprint(keys.KeysTaken, keys.KeysMalformed, keys.KeysWrongCheck, keys.KeysWeak, keys.KeysNoMaster, keys.LoadKind(99)); got != "taken malformed wrong-check weak no-master no-master" {
		t.Error(got)
	}
}

// The device's own fault is no outcome: the disk refuses, and the keys stay.
func TestADiskThatRefuses(t *testing.T) {
	s := store(t, benchTMK)
	taken(t, s, "003", unhex(de62))
	broken := failing{s}
	if in, err := keys.LoadSession(broken, "003", unhex(de62)); !errors.Is(err, errDisk) || in.Why != nil {
		t.Errorf("%v %v", in, err)
	}
}

var errDisk = errors.New("disk full")

type failing struct{ hal.KeyStore }

func (failing) Import([]hal.KeyImport) error { return errDisk }

func TestTrackEncryptionVector(t *testing.T) {
	s, tmk := store(t, benchTMK), tdes(unhex(benchTMK))
	tdk := unhex("807A23AD32B36D457AE91FDF927570EA")
	if _, err := keys.EncryptTrack(s, []byte("1")); !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	taken(t, s, "004", append(append(slot(tmk, tdes(tdk), tdk), slot(tmk, tdes(tdk), tdk)...), slot(tmk, tdes(tdk), tdk)...))
	got, err := keys.EncryptTrack(s, []byte("6225882116400091=0509567890123456"))
	if err != nil || string(got) != "622588211640009145C3822EAB55562B6" {
		t.Errorf("%s %v", got, err)
	}
	if _, err := keys.EncryptTrack(s, []byte("62258X")); !errors.Is(err, keys.ErrTrack) {
		t.Errorf("no track: %v", err)
	}
}

func TestSealBindsTheRecord(t *testing.T) {
	s := store(t, benchTMK)
	pan, _ := card.ParsePAN([]byte("6225882116400091"))
	exp, _ := card.ParseExpiry("3012")
	rapid.Check(t, func(rt *rapid.T) {
		aad := rapid.SliceOf(rapid.Byte()).Draw(rt, "aad")
		sealed, err := keys.SealCard(s, pan, exp, aad)
		if err != nil {
			rt.Fatal(err)
		}
		if p, e, err := keys.OpenCard(s, sealed, aad); err != nil || p != pan || e != exp {
			rt.Fatalf("does not open: %v", err)
		}
		i := rapid.IntRange(0, len(sealed)*8-1).Draw(rt, "bit")
		sealed[i/8] ^= 1 << (i % 8)
		if _, _, err := keys.OpenCard(s, sealed, aad); !errors.Is(err, hal.ErrSealed) {
			rt.Fatalf("a changed bit opens: %v", err)
		}
		sealed[i/8] ^= 1 << (i % 8)
		if _, _, err := keys.OpenCard(s, sealed, append(aad, 1)); !errors.Is(err, hal.ErrSealed) {
			rt.Fatalf("opens for another record: %v", err)
		}
	})
}

func FuzzParseWorkingKeys(f *testing.F) {
	f.Add("003", unhex(de62))
	f.Add("004", make([]byte, 60))
	f.Add(keys.FormSM4, make([]byte, 40))
	f.Fuzz(func(t *testing.T, form string, b []byte) {
		ks, err := keys.ParseWorkingKeys(form, b)
		if err != nil {
			if !errors.Is(err, keys.ErrWorkingKeys) || ks != nil {
				t.Error(err)
			}
			return
		}
		var back []byte
		for _, k := range ks {
			if len(k.KCV) != 4 || len(k.Cryptogram)%8 != 0 || k.Under != hal.SlotTMK || (form == keys.FormSM4) != (k.Alg == hal.AlgSM4) ||
				k.Alg == hal.AlgSM4 && len(k.Cryptogram) != 16 {
				t.Error("a broken slot was accepted")
			}
			back = append(back, k.Cryptogram...)
			if k.Slot == hal.SlotMAK && len(k.Cryptogram) < len(ks[0].Cryptogram) {
				back = append(back, make([]byte, 8)...)
			}
			back = append(back, k.KCV...)
		}
		if !bytes.Equal(back, b) || len(ks) < 2 {
			t.Error("the keys are not the whole of DE 62")
		}
	})
}
