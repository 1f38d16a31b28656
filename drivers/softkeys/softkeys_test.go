package softkeys

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/firmware/keys/dukpt"
	"swipewell/firmware/keys/key"
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

// What the file held before this build is still read.
func TestVersion1IsRead(t *testing.T) {
	p := filepath.Join(t.TempDir(), "k")
	keys := map[string]fileKey{"tmk": {hal.AlgTDES2, append([]byte(nil), tmk...)}, "seal": {hal.AlgAES, make([]byte, 32)}, "cardref": {hal.AlgAES, make([]byte, 32)}}
	f := file{Version: 1, Keys: keys}
	b, _ := json.Marshal(keys)
	sum := sha256.Sum256(append([]byte{1}, b...))
	f.Sum = sum[:]
	b, _ = json.Marshal(f)
	os.WriteFile(p, b, 0o600)
	s, err := Open(Opts{Path: p, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Has(hal.SlotTMK); !ok {
		t.Error("the master key is gone")
	}
	if err := s.Forget("x"); err != nil {
		t.Fatal(err)
	}
	if b, _ = os.ReadFile(p); !strings.Contains(string(b), `"version":2`) {
		t.Error("and it is not written anew")
	}
}

// Nothing of the keys is left in the file after Erase, nor in the folder.
func TestEraseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "k")
	Provision(p, tmk)
	s, err := Open(Opts{Path: p, TamperFitted: true})
	if err != nil {
		t.Fatal(err)
	}
	held := s.keys[hal.SlotTMK]
	old, err := os.Open(p) // the file before the rename
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := s.Erase(); err != nil {
		t.Fatal(err)
	}
	left, _ := io.ReadAll(old)
	if strings.Trim(string(left), "\x00") != "" || len(left) == 0 {
		t.Errorf("the old file was not overwritten: %d bytes", len(left))
	}
	if !held.IsZero() {
		t.Error("the key is still in memory")
	}
	names, _ := os.ReadDir(dir)
	if b, _ := os.ReadFile(p); len(names) != 1 || strings.Contains(string(b), "bytes") {
		t.Errorf("%d files, %s", len(names), b)
	}
	if err := Provision(p, tmk); !errors.Is(err, hal.ErrTampered) {
		t.Errorf("a master key for a device that was opened: %v", err)
	}
}

// A disk that refuses: no number is used that was not kept, and the old keys stay.
func TestADiskThatRefuses(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("as root the folder is removed instead of closed")
	}
	dir := filepath.Join(t.TempDir(), "d")
	os.Mkdir(dir, 0o700)
	p := filepath.Join(dir, "k")
	Provision(p, tmk)
	s, err := Open(Opts{Path: p, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := key.New(hal.AlgTDES2, []byte("an initial key!!"))
	serial, _ := hex.DecodeString("FFFF9876543210E00000")
	if s.dukpt, err = dukpt.New(dukpt.TDES, serial, k); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if ksn, err := s.NextDUKPT(); err == nil || ksn != "" {
		t.Errorf("a number that is not on disk: %s", ksn)
	}
	if _, err := s.MAC(hal.SlotDUKPT, hal.MACX919, hal.Request, nil); !errors.Is(err, hal.ErrNoKey) {
		t.Errorf("and its key: %v", err)
	}
	if err := s.Forget(hal.SlotTMK); err == nil {
		t.Error("forgotten, and not on disk")
	}
	if _, ok := s.Has(hal.SlotTMK); !ok {
		t.Error("the master key is gone")
	}
	os.Mkdir(dir, 0o700)
	if ksn, err := s.NextDUKPT(); err != nil || ksn.String() != "FFFF9876543210E00001" {
		t.Errorf("when it takes them again: %s %v", ksn, err)
	}
}

// The last transaction key, and then none.
func TestExhausted(t *testing.T) {
	p := filepath.Join(t.TempDir(), "k")
	Provision(p, tmk)
	s, _ := Open(Opts{Path: p, Bench: true})
	regs := make([]key.Key, 21)
	for i := range regs {
		if i == 11 {
			regs[i], _ = key.New(hal.AlgTDES2, []byte("a transactionkey"))
		}
	}
	serial, _ := hex.DecodeString("FFFF9876543210E00000")
	st, err := dukpt.Restore(dukpt.TDES, serial, 0x1FF800, regs)
	if err != nil {
		t.Fatal(err)
	}
	s.dukpt = st
	if ksn, err := s.NextDUKPT(); err != nil || ksn.String() != "FFFF9876543210FFF800" {
		t.Errorf("%s %v", ksn, err)
	}
	again, err := Open(Opts{Path: p, Bench: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*Store{"at once": s, "after a power cut": again} {
		if _, err := k.NextDUKPT(); !errors.Is(err, hal.ErrExhausted) {
			t.Errorf("%s: %v", name, err)
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
	f.Add([]byte(`{"version":2,"erased":true}`))
	f.Add([]byte(`{"version":2,"dukpt":{"scheme":1,"id":"//+YdlQyEOAAAA==","counter":2095104,"registers":[` + strings.Repeat("null,", 11) + `"MDEyMzQ1Njc4OWFiY2RlZg==",` + strings.Repeat("null,", 8) + `null]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err != nil { // the sum hides the rest from the fuzzer: mend it
			var m file
			if json.Unmarshal(b, &m) != nil {
				return
			}
			m.Sum = m.sum()
			if b, err = json.Marshal(m); err != nil {
				return
			}
			if r, err = parse(b); err != nil {
				return
			}
		}
		if d := r.dukpt; d != nil {
			if _, err := d.Next(func(*dukpt.State) error { return nil }); err != nil && !errors.Is(err, hal.ErrExhausted) {
				t.Errorf("a state was taken that has no next key: %v", err)
			}
		}
		for _, k := range r.keys {
			if !key.LengthOK(k.Alg(), k.Len()) {
				t.Error("a key of a wrong length was taken")
			}
		}
		if r.erased && len(r.keys) != 0 {
			t.Error("erased, and keys")
		}
	})
}
