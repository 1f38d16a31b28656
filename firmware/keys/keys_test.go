package keys_test

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"swipewell/drivers/softkeys"
	"swipewell/firmware/card"
	"swipewell/firmware/keys"
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
	s, err := softkeys.Open(softkeys.Opts{Path: path, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const benchTMK = "CA5D92598DCA48CE8A4C76361A9269E9"

// load puts a clear key into a slot, as a host would send it.
func load(t testing.TB, s *softkeys.Store, slot hal.KeySlot, clear []byte) {
	t.Helper()
	tmk := unhex(benchTMK)
	b, _ := des.NewTripleDESCipher(append(tmk, tmk[:8]...))
	crypt := make([]byte, len(clear))
	for i := 0; i < len(clear); i += 8 {
		b.Encrypt(crypt[i:], clear[i:i+8])
	}
	alg := hal.AlgTDES2
	if len(clear) == 8 {
		alg = hal.AlgDES
	}
	kcv := make([]byte, 8)
	if alg == hal.AlgDES {
		k, _ := des.NewCipher(clear)
		k.Encrypt(kcv, kcv)
	} else {
		k, _ := des.NewTripleDESCipher(append(append([]byte(nil), clear...), clear[:8]...))
		k.Encrypt(kcv, kcv)
	}
	if err := s.Import([]hal.KeyImport{{Slot: slot, Alg: alg, Cryptogram: crypt, KCV: kcv[:4], Under: hal.SlotTMK}}); err != nil {
		t.Fatal(err)
	}
}

// HOST §1.7 vectors 1–3: the steps of the MAC and a whole message.
func TestMACVectors(t *testing.T) {
	whole := unhex("0200 3020048000C08015 000000 000000001234 000002 0300 99 3030303030303031 393532373138313832323137383735 313536 0019 26000001000600000000 0043 5F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031")
	for _, c := range []struct {
		name, key, want string
		mab             []byte
	}{
		{"vector 1, step", "2222222222222222", "E267B6E2", unhex("1234567890ABCDEFABCDEF1234567890")},
		{"vector 2, key from TMK", "C24A8FB57AA20123", "8A9E91B8", unhex("0200302004C020C09811000000000000000051001834021000063243922600 09942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F9260000000000000000082200000100 00000000")},
		{"vector 3, whole message", "0723C80DB5F4CD3D", "B3A092AE", whole},
		{"vector 3, key doubled", "0723C80DB5F4CD3D0723C80DB5F4CD3D", "B3A092AE", whole},
	} {
		s := store(t, benchTMK)
		load(t, s, hal.SlotMAK, unhex(c.key))
		mac, err := keys.MAC(s, keys.MACECB, c.mab)
		if err != nil || string(mac[:]) != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, mac, err, c.want)
		}
	}
}

// HOST §5.3: X9.9 and X9.19.
func TestPublishedMACs(t *testing.T) {
	for _, c := range []struct {
		alg             keys.MACAlg
		key, data, want string
	}{
		{keys.MACX99, "0123456789ABCDEF", "7654321 Now is the time for ", "F1D30F6849312CA4"},
		{keys.MACX919, "0123456789ABCDEFFEDCBA9876543210", "Now is the time for all ", "A1C72E74EA3FA9B6"},
		{keys.MACX919, "0123456789ABCDEFFEDCBA9876543210", "Now is the time for it", "2E2B1428CC78254F"},
	} {
		s := store(t, benchTMK)
		load(t, s, hal.SlotMAK, unhex(c.key))
		mac, err := keys.MAC(s, c.alg, []byte(c.data))
		if err != nil || !bytes.Equal(mac[:], unhex(c.want)) {
			t.Errorf("%s %q: %X %v, want %s", c.alg, c.data, mac, err, c.want)
		}
	}
}

const de62 = "6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA"

// HOST §1.7 vector 4 and §5.2: keys from DE 62, then a PIN block under them.
func TestWorkingKeysVector(t *testing.T) {
	s := store(t, benchTMK)
	if err := keys.ImportWorkingKeys(s, unhex(de62)); err != nil {
		t.Fatal(err)
	}
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
}

func TestPINBlocks(t *testing.T) {
	s := store(t, benchTMK)
	load(t, s, hal.SlotPIK, unhex("C5A1EFDE6AD4461B72AF90946EE006AC"))
	pan, _ := card.ParsePAN([]byte("6226168997066875"))
	block, err := keys.PINBlock(s, keys.PINFormat0, hal.NewSecret([]byte("111111")), pan)
	if err != nil || !bytes.Equal(block[:], unhex("150A4D565B4A836E")) {
		t.Errorf("%X %v", block, err)
	}
	for _, pin := range []string{"123", "1234567890123", "12a4", ""} {
		if _, err := keys.PINBlock(s, keys.PINFormat0, hal.NewSecret([]byte(pin)), pan); !errors.Is(err, keys.ErrPIN) {
			t.Errorf("PIN of %d digits: %v", len(pin), err)
		}
	}
}

// One wrong check value: none of the keys has changed.
func TestAWrongCheckValueChangesNothing(t *testing.T) {
	s := store(t, benchTMK)
	if err := keys.ImportWorkingKeys(s, unhex(de62)); err != nil {
		t.Fatal(err)
	}
	before, _ := s.Has(hal.SlotPIK)
	bad := unhex("11111111111111111111111111111111 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA")
	if err := keys.ImportWorkingKeys(s, bad); !errors.Is(err, hal.ErrKCV) {
		t.Fatalf("got %v", err)
	}
	if after, _ := s.Has(hal.SlotPIK); after != before {
		t.Error("the PIK changed")
	}
}

func TestTrackEncryptionVector(t *testing.T) {
	s := store(t, benchTMK)
	load(t, s, hal.SlotTDK, unhex("807A23AD32B36D457AE91FDF927570EA"))
	got, err := keys.EncryptTrack(s, []byte("6225882116400091=0509567890123456"))
	if err != nil || string(got) != "622588211640009145C3822EAB55562B6" {
		t.Errorf("%s %v", got, err)
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
	f.Add(unhex(de62))
	f.Add(make([]byte, 60))
	f.Fuzz(func(t *testing.T, b []byte) {
		ks, err := keys.ParseWorkingKeys(b)
		if err != nil {
			return
		}
		n := 0
		for _, k := range ks {
			n += len(k.KCV)
			if len(k.KCV) != 4 || len(k.Cryptogram)%8 != 0 {
				t.Error("a broken slot was accepted")
			}
		}
		if n != 4*len(ks) || len(ks) < 2 {
			t.Error("keys are missing")
		}
	})
}
