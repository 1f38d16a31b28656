package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
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

// TestUpdateInTheJail: posd has given up root and locked itself in before the first
// byte of a bundle comes, and can still write its slots and its boot record.
func TestUpdateInTheJail(t *testing.T) {
	sb, err := exec.LookPath("sb")
	if err != nil || os.Getuid() != 0 {
		t.Skip("needs root, and sb of lrzsz")
	}
	dir, err := os.MkdirTemp("", "posbench-update-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s := real(t)
	for _, d := range []string{dir, filepath.Dir(s.posd)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	o, err := s.opts(filepath.Join(dir, "w"))
	if err != nil {
		t.Fatal(err)
	}
	o.User = "daemon"
	w, err := world.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := os.Chmod(filepath.Join(dir, "w"), 0o755); err != nil { // slot B is started from there
		t.Fatal(err)
	}
	for _, c := range [][]string{{"board", "slots"}, {"start"}} {
		if err := w.Do(t.Context(), c[0], c[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	script := "set -e\nprintf '#!/bin/sh\\nexec %s \"$@\"\\n' $POSD >build\n$POSTOOL bundle make --board bench --version 2.0.0 --schemas 1-4 --key $DESK/build.key build >new.swb\n" +
		"exec 3<>$SERVICE\nprintf 'flash\\r' >&3\n$SB -k -q new.swb <&3 >&3\n"
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "POSD="+s.posd, "POSTOOL="+s.tool, "DESK="+w.DeskDir(), "SERVICE="+w.ServicePath(), "SB="+sb)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hold := func(re string) {
		t.Helper()
		if err := w.Hold(t.Context(), 10*time.Second, false, w.LogHas(regexp.MustCompile(re))); err != nil {
			l := w.Log()
			t.Fatalf("%v\n%s", err, strings.Join(l[max(0, len(l)-8):], "\n"))
		}
	}
	hold(`E-UPD-04.*"way":"ymodem"`)
	if _, err := w.Service(t.Context(), "reboot"); err != nil {
		t.Fatal(err)
	}
	hold(`E-UPD-04.*"slot":"B"`)
	if err := w.Do(t.Context(), "clock", "advance", "61s"); err != nil {
		t.Fatal(err)
	}
	hold(`E-UPD-05.*"version":"2.0.0"`)
	if pid := w.Pid(); pid == 0 || !strings.HasPrefix(fields(t, fmt.Sprintf("/proc/%d/status", pid))["Uid"], "1 ") {
		t.Errorf("posd is %q", fields(t, fmt.Sprintf("/proc/%d/status", pid))["Uid"])
	}
}
