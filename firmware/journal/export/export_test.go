package export_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/query"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/journal/verify"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

func made(t testing.TB) []byte {
	t.Helper()
	j, err := journal.Open(journal.Opts{Dir: filepath.Join(t.TempDir(), "j"), Clock: hal.NewSteppedClock(nil, time.Unix(1_772_000_000, 0)), NoSync: true, Rate: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := range 400 {
		j.Record(journal.Event{Code: prompt.LogOutcome, Tx: fmt.Sprintf("cup-000001-%06d", i), Level: map[bool]slog.Level{true: 4}[i%50 == 0], Fields: []journal.Field{journal.Count("n", i)}})
	}
	var b bytes.Buffer
	if err := j.Export(&b, export.Manifest{Terminal: "20260001"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An export has all, is proven without the device, and has no secret.
func TestExport(t *testing.T) {
	b := made(t)
	if bytes.Contains(b, []byte("SWJKEY")) {
		t.Error("the key is in it")
	}
	a, err := export.Read(b)
	if err != nil || !a.Whole || a.Manifest.Terminal != "20260001" || len(a.Manifest.Anchors) != 2 {
		t.Fatalf("%+v %v", a, err)
	}
	s, err := a.Set()
	if err != nil {
		t.Fatal(err)
	}
	es, err := s.All(query.Filter{})
	if err != nil || len(es) != 400 {
		t.Errorf("%d entries, %v", len(es), err)
	}
	for _, name := range a.Streams() {
		if strings.HasSuffix(name, ".key") {
			t.Error(name)
		}
		r, err := verify.Run(a.Source(name, seal.Public{}))
		if err != nil || !r.Whole() || !r.Anchored || r.Proven != r.Last {
			t.Errorf("%s: %+v %v", name, r, err)
		}
		r, err = verify.Run(a.Source(name, seal.Public{1}))
		if err != nil || r.Whole() {
			t.Error("another root fits")
		}
	}
	dir := filepath.Join(t.TempDir(), "laid")
	if err := a.Extract(dir); err != nil {
		t.Fatal(err)
	}
	if es, err := journal.Read(dir, query.Filter{}); err != nil || len(es) != 400 {
		t.Errorf("%d entries laid, %v", len(es), err)
	}
	if a.Extract(dir) == nil {
		t.Error("laid over what was there")
	}
}

// What is cut or changed shows what is whole, and says that it is not all.
func TestTornExport(t *testing.T) {
	b := made(t)
	for _, n := range []int{len(b) - 1, len(b) / 2, len(b) / 3} {
		a, err := export.Read(b[:n])
		if err != nil || a.Whole || len(a.Damage) == 0 {
			t.Errorf("cut at %d: %+v %v", n, a, err)
		}
	}
	shown := func(b []byte) (n int) {
		a, err := export.Read(b)
		if err != nil || a.Whole {
			t.Fatalf("%v, whole %v", err, a.Whole)
		}
		s, err := a.Set()
		if err != nil {
			t.Fatal(err)
		}
		es, err := s.All(query.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(es)
	}
	if n := shown(b[:len(b)/2]); n < 120 || n == 400 {
		t.Errorf("of a half: %d entries", n)
	}
	for at := len(b) / 4; at < len(b)*3/4; at += 97 {
		c := bytes.Clone(b)
		c[at] ^= 1
		if n := shown(c); n < 398 {
			t.Fatalf("one byte at %d of %d: %d entries of 400", at, len(b), n)
		}
	}
	if _, err := export.Read([]byte("no export")); err == nil {
		t.Error("anything is an export")
	}
}

// A file's name leads nowhere else.
func TestNamesStayInside(t *testing.T) {
	for _, name := range []string{"../x.seg", "/etc/passwd", "info/../../x", "info/..", "a/b/c.seg", "x.seg", "..\\x/y", "info/"} {
		b := segment.AppendFrame([]byte(export.Magic), 'F', append([]byte(name), 0, 'x'), false)
		a, err := export.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Files) != 0 {
			t.Errorf("%q is taken", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	b := made(f)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := export.Read(b)
		if err != nil {
			return
		}
		if s, err := a.Set(); err == nil {
			s.All(query.Filter{Last: 10})
		}
		for _, n := range a.Streams() {
			verify.Run(a.Source(n, seal.Public{}))
		}
		for n := range a.Files {
			if strings.Contains(n, "..") && !strings.Contains(filepath.Base(n), "..") || filepath.IsAbs(n) {
				t.Error(n)
			}
		}
	})
}
