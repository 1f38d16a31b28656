package export_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
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

// lives is a journal of several starts, and what is left of it open.
func lives(t testing.TB, starts, each int) (*journal.Journal, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "j")
	clock := hal.NewSteppedClock(nil, time.Unix(1_772_000_000, 0))
	var j *journal.Journal
	for life := range starts {
		var err error
		if j, err = journal.Open(journal.Opts{Dir: dir, Clock: clock, NoSync: true, Rate: -1, Queue: 4096}); err != nil {
			t.Fatal(err)
		}
		for i := range each {
			e := journal.Event{Code: prompt.LogOutcome, Tx: fmt.Sprintf("cup-%06d-%06d", life, i), Fields: []journal.Field{journal.Count("n", i)}}
			if i%100 == 7 {
				e.Level = 4
			}
			j.Record(e)
			if i%200 == 0 {
				if err := j.Sync(i%400 == 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if life < starts-1 {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(func() { j.Close() })
	return j, dir
}

func excerpt(t testing.TB, j *journal.Journal, f query.Filter, most int) (a *export.Archive, raw []byte, n, of int) {
	t.Helper()
	var b bytes.Buffer
	n, of, err := j.Excerpt(&b, export.Manifest{Terminal: "20260001"}, f, most)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = export.Read(b.Bytes()); err != nil || !a.Whole {
		t.Fatalf("%v %v", a, err)
	}
	return a, b.Bytes(), n, of
}

func verified(t testing.TB, a *export.Archive) (rs map[string]verify.Report) {
	t.Helper()
	rs = map[string]verify.Report{}
	for _, s := range a.Streams() {
		r, err := verify.Run(a.Source(s, seal.Public{}))
		if err != nil {
			t.Fatal(err)
		}
		rs[s] = r
	}
	return rs
}

// An excerpt is small, has what was asked for, and is proven like the whole.
func TestExcerpt(t *testing.T) {
	j, dir := lives(t, 3, 2500)
	for _, c := range []struct {
		f       query.Filter
		streams string
		least   int
	}{
		{query.Filter{Tx: "cup-000001-001234"}, "info", 1},
		{query.Filter{Tx: "cup-000002-002499"}, "info", 1}, // the youngest: signed for the purpose
		{query.Filter{Tx: "cup-000000-000007"}, "warn", 1},
		{query.Filter{Last: 200}, "info warn", 200},
	} {
		a, raw, n, of := excerpt(t, j, c.f, 64<<10)
		if n != of || n < c.least {
			t.Errorf("%+v: %d of %d", c.f, n, of)
		}
		if len(raw) > 40<<10 {
			t.Errorf("%+v: %d bytes", c.f, len(raw))
		}
		if got := strings.Join(a.Streams(), " "); got != c.streams {
			t.Errorf("%+v: streams %s", c.f, got)
		}
		set, err := a.Set()
		if err != nil {
			t.Fatal(err)
		}
		if es, err := set.All(c.f); err != nil || len(es) != of {
			t.Errorf("%+v: %d entries, %v", c.f, len(es), err)
		}
		for s, r := range verified(t, a) {
			if !r.Whole() || r.Proven != r.Last {
				t.Errorf("%+v %s: %+v", c.f, s, r)
			}
			if s == "info" && !slices.ContainsFunc(r.Notes, func(f verify.Finding) bool { return f.Kind == verify.Left }) {
				t.Errorf("%+v %s: nothing says what was left out: %+v", c.f, s, r.Notes)
			}
			// Under the root that the device has, and under no other.
			hex, err := journal.Root(dir, s)
			if err != nil || hex != a.Manifest.Roots[s] {
				t.Fatal(hex, err)
			}
			if r, _ := verify.Run(a.Source(s, r.Root)); !r.Whole() || !r.Rooted {
				t.Errorf("%+v %s: not under its root: %+v", c.f, s, r.Findings)
			}
			if r, _ := verify.Run(a.Source(s, seal.Public{1})); r.Whole() {
				t.Errorf("%+v %s: fits another root", c.f, s)
			}
		}
	}
}

// What does not fit is the oldest, and it is told.
func TestExcerptBounded(t *testing.T) {
	j, _ := lives(t, 2, 2500)
	f := query.Filter{Last: 4000}
	a, raw, n, of := excerpt(t, j, f, 12<<10)
	if len(raw) > 12<<10 || n == 0 || n >= of {
		t.Fatalf("%d bytes, %d of %d", len(raw), n, of)
	}
	set, _ := a.Set()
	es, err := set.All(query.Filter{Last: 1, Code: prompt.LogOutcome})
	if err != nil || len(es) != 1 || es[0].Tx != "cup-000001-002499" {
		t.Errorf("the youngest is not there: %v %v", es, err)
	}
	for s, r := range verified(t, a) {
		if !r.Whole() {
			t.Errorf("%s: %+v", s, r.Findings)
		}
	}
}

// Of many starts the excerpt has those that it needs, and says that nothing leads to them.
func TestExcerptManyLives(t *testing.T) {
	j, _ := lives(t, 25, 30)
	a, _, n, _ := excerpt(t, j, query.Filter{Tx: "cup-000023-000011"}, 64<<10)
	if n != 1 {
		t.Fatal(n)
	}
	r := verified(t, a)["info"]
	if !r.Whole() || r.Eras > 2 || len(r.Notes) == 0 || !strings.Contains(r.Notes[0].Text, "signs for itself") {
		t.Errorf("%+v", r)
	}
	if r, _ := verify.Run(a.Source("info", r.Root)); r.Rooted {
		t.Error("it is not rooted")
	}
}

// Whoever edits an excerpt is found, wherever it is: a changed entry, a span whose batch or checkpoint is
// gone, another one's checkpoint.
func TestExcerptEdited(t *testing.T) {
	j, _ := lives(t, 3, 2500)
	a, _, _, _ := excerpt(t, j, query.Filter{Tx: "cup-000001-001234"}, 64<<10)
	var name string
	for n, b := range a.Files {
		if len(b) > len(a.Files[name]) {
			name = n
		}
	}
	whole := a.Files[name]
	var frames [][]byte
	batch := -1
	segment.Scan(whole, func(f segment.Frame) bool {
		if f.Kind == segment.Batch {
			batch = len(frames)
		}
		frames = append(frames, whole[f.Off:f.Off+f.Size])
		return true
	})
	if batch < 1 || batch+1 != len(frames)-1 {
		t.Fatalf("batch %d of %d frames", batch, len(frames))
	}
	edit := func(p []byte) []byte { // one letter of one entry
		b := bytes.Clone(p)
		at := bytes.Index(b, []byte("cup-000001-001234"))
		b[at+4] ^= 1
		return b
	}
	payload := func(i int) (p []byte) {
		segment.Scan(frames[i], func(f segment.Frame) bool {
			q, err := f.Payload(nil)
			if err != nil {
				t.Fatal(err)
			}
			p = bytes.Clone(q)
			return true
		})
		return p
	}
	// As whoever edits with care does: all that follows the edit is chained anew.
	again := func(records []byte) (out []byte) {
		var before []byte
		segment.Scan(frames[batch-1], func(f segment.Frame) bool { before, _ = f.Payload(nil); return true })
		k, err := seal.ParseCheckpoint(before)
		if err != nil {
			t.Fatal(err)
		}
		chain := k.Hash
		if err := segment.Records(records, func(rec []byte, _ [4]byte) bool {
			chain = chain.Next(rec)
			out = segment.AppendRecord(out, rec, chain)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for what, fs := range map[string][][]byte{
		"an entry changed":      slices.Concat(frames[:batch], [][]byte{segment.AppendFrame(nil, segment.Batch, edit(payload(batch)), true)}, frames[batch+1:]),
		"chained anew":          slices.Concat(frames[:batch], [][]byte{segment.AppendFrame(nil, segment.Batch, again(edit(payload(batch))), true)}, frames[batch+1:]),
		"an entry dropped":      slices.Concat(frames[:batch], [][]byte{segment.AppendFrame(nil, segment.Batch, payload(batch)[200:], true)}, frames[batch+1:]),
		"a checkpoint dropped":  slices.Concat(frames[:1], frames[2:]),
		"checkpoints swapped":   slices.Concat(frames[:1], [][]byte{frames[2], frames[1]}, frames[3:]),
		"the signature cut off": slices.Concat(frames[:batch+1]),
	} {
		b := *a
		b.Files = map[string][]byte{}
		for n, f := range a.Files {
			b.Files[n] = f
		}
		b.Files[name] = bytes.Join(fs, nil)
		r, _ := verify.Run(b.Source("info", seal.Public{}))
		// Entries that nobody has signed are no fault, as in the whole export: it is told up to where they are.
		if what == "the signature cut off" && r.Proven == 0 {
			continue
		}
		if r.Whole() {
			t.Errorf("%s: it is called whole", what)
		}
	}
}
