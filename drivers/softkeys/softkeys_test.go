package softkeys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/hal"
)

var tmk = []byte("0123456789abcdef")

func TestOnlyWhereItMay(t *testing.T) {
	if _, err := Open(Opts{Path: filepath.Join(t.TempDir(), "k")}); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("opened without bench and tamper: %v", err)
	}
}

func TestProvisionKeepsAnotherKey(t *testing.T) {
	p := filepath.Join(t.TempDir(), "k")
	if err := Provision(p, tmk); err != nil {
		t.Fatal(err)
	}
	if err := Provision(p, tmk); err != nil {
		t.Errorf("the same key again: %v", err)
	}
	if err := Provision(p, []byte("another-key-here")); !errors.Is(err, ErrOtherTMK) {
		t.Errorf("another key: %v", err)
	}
}

func TestDamagedFileIsRefusedAndKept(t *testing.T) {
	p := filepath.Join(t.TempDir(), "k")
	if err := Provision(p, tmk); err != nil {
		t.Fatal(err)
	}
	good, _ := os.ReadFile(p)
	for name, bad := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)/2], "flipped": []byte(strings.Replace(string(good), `"bytes":"`, `"bytes":"A`, 1)),
	} {
		os.WriteFile(p, bad, 0o600)
		if _, err := Open(Opts{Path: p, Bench: true}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := os.ReadFile(p); string(got) != string(bad) {
			t.Errorf("%s: the file was replaced", name)
		}
	}
}

func TestKeysAreUsedForOneThing(t *testing.T) {
	p := filepath.Join(t.TempDir(), "k")
	Provision(p, tmk)
	s, err := Open(Opts{Path: p, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	for _, slot := range []hal.KeySlot{hal.SlotTMK, hal.SlotSeal, hal.SlotCardRef} {
		if err := s.EncryptBlocks(slot, b, b); !errors.Is(err, hal.ErrKeyUse) {
			t.Errorf("%s encrypts: %v", slot, err)
		}
	}
	if err := s.EncryptBlocks(hal.SlotMAK, b, b); !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("no MAK yet: %v", err)
	}
	if _, err := s.HMAC(hal.SlotMAK, b); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("HMAC under the MAK: %v", err)
	}
	if err := s.Import([]hal.KeyImport{{Slot: hal.SlotTMK, Under: hal.SlotTMK, Alg: hal.AlgTDES2, Cryptogram: make([]byte, 16)}}); !errors.Is(err, hal.ErrKeyUse) {
		t.Errorf("a master key came by download: %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		if out := fmt.Sprintf(verb, s.keys[hal.SlotTMK]); strings.Contains(out, "30313233") || strings.Contains(out, "0123") {
			t.Errorf("%s shows key bytes", verb)
		}
	}
}

func TestKeysSurviveReopening(t *testing.T) {
	p := filepath.Join(t.TempDir(), "k")
	Provision(p, tmk)
	a, _ := Open(Opts{Path: p, Bench: true})
	sealed, err := a.Seal(nil, []byte("plain"), []byte("id"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Open(Opts{Path: p, Bench: true})
	if out, err := b.Open(nil, sealed, []byte("id")); err != nil || string(out) != "plain" {
		t.Errorf("%q %v", out, err)
	}
	if st, _ := os.Stat(p); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func FuzzParse(f *testing.F) {
	p := filepath.Join(f.TempDir(), "k")
	Provision(p, tmk)
	good, _ := os.ReadFile(p)
	f.Add(good)
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if ks, err := parse(b); err == nil {
			for _, k := range ks {
				if !lengthOK(k.Alg, len(k.Bytes)) {
					t.Error("a key of a wrong length was taken")
				}
			}
		}
	})
}
