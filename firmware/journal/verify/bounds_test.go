package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/shelf"
)

// A thief with the current key takes an old era away and signs that: it is believed only if the
// bounds, which keys of before his time sealed, ask for it.
func TestThiefRemoves(t *testing.T) {
	year := noon.AddDate(1, 0, 0).UnixMilli()
	tests := []struct {
		name string
		at   int64
		why  seal.Reason
		text string
		note bool
	}{
		{"for want of room", noon.UnixMilli(), seal.Sized, "there was enough", false},
		{"for its age, today", noon.UnixMilli(), seal.Aged, "was not 90 days old", false},
		{"for its age, in a year that nothing shows", year, seal.Aged, "has not reached", false},
		{"for a full disk", noon.UnixMilli(), seal.Full, "nothing but the device's word", true},
		{"for nothing", noon.UnixMilli(), 0, "no reason", false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := makeJournal(t)
			cert, err := seal.ParseCert(apart(t, m.files[first])[0].raw)
			if err != nil {
				t.Fatal(err)
			}
			delete(m.files, first)
			m.src.Removals = append(m.src.Removals, m.key.Remove(cert, 100, tc.at, tc.why))
			r, err := Run(m.source())
			if err != nil {
				t.Fatal(err)
			}
			list := r.Findings
			if tc.note {
				list = r.Notes
			}
			if r.Whole() != tc.note || len(list) != 1 || list[0].Kind != Early || list[0].Seq != 1 || list[0].Until != 100 || !strings.Contains(list[0].Text, tc.text) {
				t.Errorf("findings %+v\nnotes %+v", r.Findings, r.Notes)
			}
		})
	}
}

// grow writes days of entries to a shelf, under its own retention.
func grow(t *testing.T, dir string, seq *uint64, from, days int, o shelf.Opts) {
	t.Helper()
	at := noon.AddDate(0, 0, from)
	o.Dir, o.NoSync, o.Now = dir, true, func() time.Time { return at }
	s, _, err := shelf.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for range days {
		for range 20 {
			*seq++
			e := entry.Entry{Seq: *seq, Wall: at, Level: "INFO", Code: "E-TXN-04", Fields: []entry.Pair{{Key: "x", Value: fmt.Sprint(*seq * 2654435761)}}}
			if err := s.Append([]entry.Entry{e}, at, true); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(24 * time.Hour)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The device's own removals are believed: by size, by age, and under bounds that were lowered, which is said.
func TestOwnRemovals(t *testing.T) {
	aged := shelf.Opts{MaxBytes: 1 << 20, SegmentBytes: 4 << 10, MaxAge: 30 * 24 * time.Hour}
	sized := shelf.Opts{MaxBytes: 48 << 10, SegmentBytes: 4 << 10}
	for _, tc := range []struct {
		name  string
		lives []shelf.Opts
		note  string
	}{{"by age", []shelf.Opts{aged, aged, aged}, ""}, {"by size", []shelf.Opts{sized, sized, sized}, ""}, {"lowered", []shelf.Opts{aged, {MaxBytes: 32 << 10, SegmentBytes: 4 << 10, MaxAge: aged.MaxAge}}, "lowered"}} {
		t.Run(tc.name, func(t *testing.T) {
			dir, seq := t.TempDir(), uint64(0)
			for i, o := range tc.lives {
				days := 60
				if tc.note != "" {
					days = 25
				}
				grow(t, dir, &seq, i*days, days, o)
			}
			src, err := Folder(dir)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(src)
			if err != nil || !r.Whole() || r.Removed == 0 || r.Last != seq {
				t.Fatalf("%+v %v", r, err)
			}
			if noted := slices.ContainsFunc(r.Notes, func(f Finding) bool { return strings.Contains(f.Text, tc.note) }); noted != (tc.note != "") {
				t.Errorf("%d removed, notes %+v", r.Removed, r.Notes)
			}
		})
	}
}
