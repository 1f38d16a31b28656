package main

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/sim/world"
	"swipewell/firmware/store"
	upd "swipewell/firmware/update"
)

// older makes the store's file one of the schema before: as a device has it that
// was updated over the cable.
func older(t *testing.T, dir string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "state.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b, key := tx.Bucket([]byte("meta")), []byte("schema")
		v := binary.BigEndian.AppendUint32(nil, store.Schema-1)
		return b.Put(key, append(rowSum([]byte("meta"), key, v), v...))
	})
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, "store.clean"))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func schemaOf(t *testing.T, dir string) (v uint32) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "state.db")) // posd has it open: a copy is read
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.View(func(tx *bolt.Tx) error {
		v = binary.BigEndian.Uint32(tx.Bucket([]byte("meta")).Get([]byte("schema"))[4:])
		return nil
	})
	return v
}

// TestDataWaitForTheTrial: a build on trial that writes a newer schema leaves the
// data as the build before can read them, sells nothing meanwhile, and brings them
// up to date once it is confirmed.
func TestDataWaitForTheTrial(t *testing.T) {
	dir := t.TempDir()
	s := real(t)
	o, err := s.opts(filepath.Join(dir, "w"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx := t.Context()
	do := func(words ...string) {
		t.Helper()
		if err := w.Do(ctx, words[0], words[1:]...); err != nil {
			t.Fatal(words, err)
		}
	}
	hold := func(c world.Check) {
		t.Helper()
		if err := w.Hold(ctx, 10*time.Second, false, c); err != nil {
			l := w.Log()
			t.Fatalf("%v\n%s", err, strings.Join(l[max(0, len(l)-12):], "\n"))
		}
	}
	do("board", "slots")
	do("start")
	if err := w.Shop(ctx, "12.80", "cup-debit-1", "123456", -1); err != nil {
		t.Fatal(err)
	}
	do("shutdown")
	data, boot := filepath.Dir(w.Socket()), filepath.Join(dir, "w", "boot")
	older(t, data)
	// The same build is on trial in slot B.
	image, err := os.ReadFile(filepath.Join(boot, "slot.a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(boot, "slot.b"), image, 0o755); err != nil {
		t.Fatal(err)
	}
	var r upd.Record
	for _, f := range []string{"boot.0", "boot.1"} {
		b, err := os.ReadFile(filepath.Join(boot, f))
		if err != nil {
			t.Fatal(err)
		}
		if x, err := upd.ParseText(b); err == nil && x.Counter > r.Counter {
			r = x
		}
	}
	r.Counter, r.Trial, r.Order, r.Left, r.Images[upd.B] = r.Counter+1, upd.B, []upd.Slot{upd.B, upd.A}, [2]int{3, 3}, r.Images[upd.A]
	b, err := upd.AppendText(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"boot.0", "boot.1"} {
		if err := os.WriteFile(filepath.Join(boot, f), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do("power", "on")
	hold(w.Prompt("P-UPD-03"))
	do("clock", "advance", "50s")
	hold(w.Prompt("P-UPD-03"))
	if v := schemaOf(t, data); v != store.Schema-1 {
		t.Fatalf("on trial, and the data are of schema %d", v)
	}
	do("clock", "advance", "15s")
	hold(w.Screen(regexp.MustCompile("上笔已成功|请输入金额"))) // the shutdown was before its slip
	if v := schemaOf(t, data); v != store.Schema {
		t.Errorf("confirmed, and the data are of schema %d", v)
	}
	if err := w.Shop(ctx, "7.70", "cup-debit-2", "123456", -1); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Double(); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// rowSum is what store puts before a value. WIRE, "The store".
func rowSum(bucket, key, v []byte) []byte {
	c := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	c.Write(append(append(append(append([]byte(nil), bucket...), 0), append(key, 0)...), v...))
	return binary.BigEndian.AppendUint32(nil, c.Sum32())
}
