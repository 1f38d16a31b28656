package shelf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func batch(from, n int, level string) (es []entry.Entry) {
	for i := range n {
		q := from + i
		es = append(es, entry.Entry{Seq: uint64(q), Wall: noon.Add(time.Duration(q) * time.Second), Boot: "b", Level: level, Code: "E-TXN-04", Tx: fmt.Sprintf("cup-000001-%06d", q),
			Fields: []entry.Pair{{Key: "x", Value: fmt.Sprint(q * 2654435761)}}})
	}
	return es
}

// On a disk without room the shelf for errors has its reserve, then gives up its own oldest;
// nothing of errors is lost, and the bound of others' files does not matter.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skip("kernel: needs the right to mount: " + err.Error())
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	o := Opts{Dir: filepath.Join(dir, "warn"), MaxBytes: 1 << 20, SegmentBytes: 16 << 10, Reserve: 128 << 10, NoSync: true}
	s, _, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	seq := 1
	put := func(n int) {
		t.Helper()
		for range n {
			if err := s.Append(batch(seq, 10, "ERROR"), noon, true); err != nil {
				t.Fatalf("at %d: %v", seq, err)
			}
			seq += 10
		}
	}
	put(20)
	full, err := os.Create(filepath.Join(dir, "others"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = full.Write(make([]byte, 4096))
	}
	full.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(o.Dir, "reserve")); err != nil || st.Size() != o.Reserve {
		t.Fatal("no reserve: ", err)
	}
	put(50) // out of the reserve
	var have int
	for _, m := range s.Segments() {
		have += m.Count
	}
	if have != seq-1 {
		t.Errorf("%d of %d entries while the reserve lasts", have, seq-1)
	}
	put(2000) // it is spent: the oldest go
	last := s.Segments()
	if m := last[len(last)-1]; m.Last != uint64(seq-1) || s.Stats().Removed == 0 {
		t.Errorf("%+v, %d removed", m, s.Stats().Removed)
	}
	if err := os.Remove(full.Name()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s, f, err := Open(o)
	if err != nil || f.Unclean || f.Cut > 0 || f.KeyLost || f.Last != uint64(seq-1) {
		t.Errorf("%+v %v", f, err)
	}
	s.Close()
}

// A key that is gone, or a journal that is shorter than what the key has signed, is told of.
func TestOpeningTells(t *testing.T) {
	made := func() (string, Opts) {
		dir := t.TempDir()
		o := Opts{Dir: dir, NoSync: true, CheckEvery: 20}
		s, f, err := Open(o)
		if err != nil || !f.New {
			t.Fatal(f, err)
		}
		for i := range 10 {
			if err := s.Append(batch(1+i*10, 10, "INFO"), noon, true); err != nil {
				t.Fatal(err)
			}
		}
		return dir, o
	}
	tests := []struct {
		name string
		do   func(dir string) error
		want Found
	}{
		{"a power cut", func(string) error { return nil }, Found{Last: 100, Unclean: true, Era: 1, First: 2}},
		{"the key is gone", func(dir string) error { return os.Remove(filepath.Join(dir, keyFile)) }, Found{Last: 100, Unclean: true, KeyLost: true, Era: 1, First: 2}},
		{"the end is gone", func(dir string) error {
			p := filepath.Join(dir, "00000001.seg")
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			n, end := 0, int64(0)
			segment.Scan(b, func(f segment.Frame) bool {
				if f.Kind == segment.Check {
					n++
				}
				end = f.Off + f.Size
				return n < 2
			})
			return os.Truncate(p, end)
		}, Found{Last: 40, Unclean: true, Cut: 3, Era: 1, First: 2}},
		{"all segments are gone", func(dir string) error { return os.Remove(filepath.Join(dir, "00000001.seg")) }, Found{Cut: 6, First: 2}},
		{"a head that a cut tore", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "00000002.seg"), []byte{0xfe, 'S'}, 0o600)
		},
			Found{Last: 100, Unclean: true, Era: 1, First: 2}},
	}
	for _, tc := range tests {
		dir, o := made()
		if err := tc.do(dir); err != nil {
			t.Fatal(err)
		}
		_, f, err := Open(o)
		if err != nil || f != tc.want {
			t.Errorf("%s: %+v, want %+v (%v)", tc.name, f, tc.want, err)
		}
	}
}

// A segment of a newer version is neither packed nor written to; what it has is read.
func TestNewerStaysAsItIs(t *testing.T) {
	dir := t.TempDir()
	o := Opts{Dir: dir, NoSync: true}
	s, _, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(batch(1, 10, "INFO"), noon, true); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "00000001.seg")
	b, _ := os.ReadFile(p)
	b = segment.AppendFrame(b, 'Q', []byte("of tomorrow"), false)
	os.WriteFile(p, b, 0o600)
	s, _, err = Open(o)
	if err != nil || s.Tidy() != nil {
		t.Fatal(err)
	}
	now, _ := os.ReadFile(p)
	if string(now) != string(b) || s.Segments()[0].Count != 10 {
		t.Error("it was changed")
	}
}

// A segment that cannot be begun loses nothing and writes nothing twice.
func TestRotationThatFails(t *testing.T) {
	dir := t.TempDir()
	s, _, err := Open(Opts{Dir: dir, NoSync: true, SegmentBytes: 2000, CheckEvery: 20})
	if err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(dir, "00000002.seg")
	if err := os.MkdirAll(filepath.Join(block, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	seq, failed := 1, 0
	for i := range 60 {
		if i == 40 {
			if err := os.RemoveAll(block); err != nil {
				t.Fatal(err)
			}
		}
		if s.Append(batch(seq, 10, "ERROR"), noon, true) != nil {
			failed++
			continue // the same again, as the writer does
		}
		seq += 10
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if failed == 0 {
		t.Fatal("nothing failed")
	}
	var last uint64
	for _, m := range s.Segments() {
		b, err := os.ReadFile(filepath.Join(dir, m.Name))
		if err != nil {
			t.Fatal(err)
		}
		segment.Walk(m.Name, b, func(_ []byte, q uint64) {
			if q != last+1 {
				t.Errorf("%d after %d", q, last)
			}
			last = q
		})
	}
	if last != uint64(seq-1) {
		t.Errorf("the last is %d of %d", last, seq-1)
	}
}
