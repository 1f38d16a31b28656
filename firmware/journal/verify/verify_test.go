package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/journal/shelf"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// made is a journal of three lives: 3 × 100 entries, checkpoints every 20, of
// which the last life is under way.
type made struct {
	src    Source
	files  map[string][]byte
	key    *seal.Key // as a thief finds it
	anchor shelf.Anchor
	dir    string
}

func makeJournal(t *testing.T) *made {
	t.Helper()
	dir := t.TempDir()
	m := &made{dir: dir, files: map[string][]byte{}}
	seq := uint64(0)
	for life := range 3 {
		s, _, err := shelf.Open(shelf.Opts{Dir: dir, CheckEvery: 20, NoSync: true, SegmentBytes: 1 << 20, MaxAge: 90 * 24 * time.Hour, Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			var es []entry.Entry
			for range 5 {
				seq++
				es = append(es, entry.Entry{Seq: seq, Wall: noon.Add(time.Duration(seq) * time.Second), Boot: fmt.Sprint("life", life), Level: "INFO", Code: "E-TXN-04",
					Source: "txn", Tx: fmt.Sprintf("cup-000001-%06d", seq/5), Fields: []entry.Pair{{Key: "amount", Value: "12.80"}, {Key: "n", Value: int64(seq)}}})
			}
			if err := s.Append(es, noon, true); err != nil {
				t.Fatal(err)
			}
		}
		m.anchor, _ = s.Anchor()
		if life < 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	if m.key, err = seal.ParseKey(raw); err != nil {
		t.Fatal(err)
	}
	ds, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	for _, p := range ds {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		m.files[filepath.Base(p)] = b
	}
	src, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.src = Source{Claimed: src.Claimed}
	return m
}

func (m *made) source() Source {
	s := m.src
	var names []string
	for n := range m.files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		s.Files = append(s.Files, File{n, func() ([]byte, error) { return m.files[n], nil }})
	}
	return s
}

// part is a frame taken apart, for an editor by hand.
type part struct {
	kind segment.Kind
	recs [][]byte
	tags [][4]byte
	raw  []byte
}

func apart(t *testing.T, b []byte) (ps []part) {
	t.Helper()
	d := segment.Scan(b, func(f segment.Frame) bool {
		p, err := f.Payload(nil)
		if err != nil {
			t.Fatal(err)
		}
		x := part{kind: f.Kind, raw: bytes.Clone(p)}
		if f.Kind == segment.Batch {
			segment.Records(p, func(rec []byte, tag [4]byte) bool {
				x.recs, x.tags = append(x.recs, bytes.Clone(rec)), append(x.tags, tag)
				return true
			})
		}
		ps = append(ps, x)
		return true
	})
	if len(d) > 0 {
		t.Fatal(d)
	}
	return ps
}

func join(ps []part) (b []byte) {
	for _, p := range ps {
		raw := p.raw
		if p.kind == segment.Batch {
			raw = nil
			for i, r := range p.recs {
				raw = binary.AppendUvarint(raw, uint64(len(r)))
				raw = append(append(raw, r...), p.tags[i][:]...)
			}
		}
		b = segment.AppendFrame(b, p.kind, raw, p.kind == segment.Batch)
	}
	return b
}

// rechain gives all records the tags that fit what is there now.
func rechain(ps []part) []part {
	c, _ := seal.ParseCert(ps[0].raw)
	h := c.Prev
	for i := range ps {
		for k, r := range ps[i].recs {
			h = h.Next(r)
			ps[i].tags[k] = h.Tag()
		}
	}
	return ps
}

// at finds the record of an entry.
func at(t *testing.T, ps []part, seq uint64) (int, int) {
	for i, p := range ps {
		for k, r := range p.recs {
			if entry.SeqOf(r) == seq {
				return i, k
			}
		}
	}
	t.Fatalf("entry %d is not there", seq)
	return 0, 0
}

func drop(ps []part, i, k int) {
	ps[i].recs = slices.Delete(ps[i].recs, k, k+1)
	ps[i].tags = slices.Delete(ps[i].tags, k, k+1)
}

const first, last = "00000001.seg", "00000003.seg"

// The amount of entry 37 becomes another.
func forge(t *testing.T, ps []part, seq uint64) {
	i, k := at(t, ps, seq)
	ps[i].recs[k] = bytes.Replace(ps[i].recs[k], []byte("12.80"), []byte("99.80"), 1)
}

// Every edit by hand is found, and its place is told.
func TestEdits(t *testing.T) {
	tests := []struct {
		name   string
		edit   func(t *testing.T, m *made)
		bad    uint64 // the first entry that may be wrong
		within uint64 // how far behind that the fault is at most
		kind   Kind
	}{
		{"a byte of a file is changed", func(t *testing.T, m *made) { m.files[first][900] ^= 1 }, 1, 100, Damaged},
		{"an entry is changed", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			forge(t, ps, 37)
			m.files[first] = join(ps)
		}, 37, 0, Changed},
		{"an entry is changed and all behind it chained anew", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			forge(t, ps, 37)
			m.files[first] = join(rechain(ps))
		}, 21, 16, Changed},
		{"an entry is dropped", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			i, k := at(t, ps, 37)
			drop(ps, i, k)
			m.files[first] = join(ps)
		}, 38, 0, Changed},
		{"an entry is dropped and all chained anew", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			i, k := at(t, ps, 37)
			drop(ps, i, k)
			m.files[first] = join(rechain(ps))
		}, 21, 16, Changed},
		{"two entries are swapped", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			i, k := at(t, ps, 33)
			i2, k2 := at(t, ps, 34)
			ps[i].recs[k], ps[i2].recs[k2] = ps[i2].recs[k2], ps[i].recs[k]
			m.files[first] = join(ps)
		}, 33, 1, Changed},
		{"an entry is put in", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			i, k := at(t, ps, 37)
			e := entry.Entry{Seq: 37, Level: "INFO", Wall: noon}
			ps[i].recs = slices.Insert(ps[i].recs, k, e.Append(nil))
			ps[i].tags = slices.Insert(ps[i].tags, k, [4]byte{})
			m.files[first] = join(ps)
		}, 37, 0, Changed},
		{"an entry is put in twice and all chained anew", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			i, k := at(t, ps, 37)
			ps[i].recs = slices.Insert(ps[i].recs, k, ps[i].recs[k])
			ps[i].tags = slices.Insert(ps[i].tags, k, [4]byte{})
			m.files[first] = join(rechain(ps))
		}, 21, 16, Changed},
		{"a checkpoint is dropped", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			i := slices.IndexFunc(ps, func(p part) bool { return p.kind == segment.Check })
			m.files[first] = join(slices.Delete(ps, i, i+1))
		}, 1, 40, Missing},
		{"an entry is changed and its checkpoint with it", func(t *testing.T, m *made) {
			ps := apart(t, m.files[first])
			forge(t, ps, 37)
			ps = rechain(ps)
			i := slices.IndexFunc(ps, func(p part) bool { return p.kind == segment.Check })
			for ; ps[i].kind != segment.Check || func() bool { c, _ := seal.ParseCheckpoint(ps[i].raw); return c.Seq < 37 }(); i++ {
			}
			c, _ := seal.ParseCheckpoint(ps[i].raw)
			var h seal.Hash
			cert, _ := seal.ParseCert(ps[0].raw)
			h = cert.Prev
			for _, p := range ps[:i] {
				for _, r := range p.recs {
					h = h.Next(r)
				}
			}
			c.Hash = h
			ps[i].raw = c.Append(nil)
			m.files[first] = join(ps)
		}, 21, 16, Broken},
		{"re-chained with the stolen current key", func(t *testing.T, m *made) {
			m.files[first] = join(rechainSigned(t, m, first, 37))
		}, 21, 16, Foreign},
		{"the life under way re-chained with the stolen current key", func(t *testing.T, m *made) {
			m.files[last] = join(rechainSigned(t, m, last, 237))
		}, 221, 16, Missing},
		{"the end of a closed segment is cut off", func(t *testing.T, m *made) {
			m.files[first] = m.files[first][:len(m.files[first])*2/3]
		}, 0, 100, Missing},
		{"a segment is gone", func(t *testing.T, m *made) { delete(m.files, "00000002.seg") }, 101, 0, Missing},
		{"the first segment is gone", func(t *testing.T, m *made) { delete(m.files, first) }, 1, 0, Missing},
		{"two segments are swapped", func(t *testing.T, m *made) {
			m.files["00000002.seg"] = m.files[first]
		}, 1, 100, Foreign},
		{"a removal that nobody signed", func(t *testing.T, m *made) {
			ps := apart(t, m.files["00000002.seg"])
			c, _ := seal.ParseCert(ps[0].raw)
			delete(m.files, "00000002.seg")
			m.src.Removals = append(m.src.Removals, seal.Removal{Cert: c, Last: 200, By: 3})
		}, 101, 0, Broken},
		{"the end is cut off, and the key is still there", func(t *testing.T, m *made) {
			cutAt(t, m, 260)
			m.src.KeyEra, m.src.KeyN = m.key.Era, m.key.N
		}, 261, 0, Cut},
		{"the end is cut off, and an anchor was kept", func(t *testing.T, m *made) {
			cutAt(t, m, 260)
			m.src.Anchors = append(m.src.Anchors, m.anchor)
		}, 261, 0, Cut},
		{"the last life is gone, and an anchor was kept", func(t *testing.T, m *made) {
			delete(m.files, last)
			m.src.Anchors = append(m.src.Anchors, m.anchor)
		}, 201, 0, Cut},
		{"all of it is of another key, and the root is known", func(t *testing.T, m *made) {
			o := makeJournal(t)
			m.files, m.src.Root = o.files, m.src.Claimed
			m.src.Claimed = o.src.Claimed
		}, 1, 0, Broken},
		{"cut off and gone on with the stolen key", func(t *testing.T, m *made) {
			cutAt(t, m, 240)
			ps := apart(t, m.files[last])
			cert, _ := seal.ParseCert(ps[0].raw)
			h := cert.Prev
			for _, p := range ps {
				for _, r := range p.recs {
					h = h.Next(r)
				}
			}
			c := m.key.Begin(240, h, seal.Bounds{})
			e := entry.Entry{Seq: 241, Level: "INFO", Wall: noon}
			rec := e.Append(nil)
			h = h.Next(rec)
			b := segment.AppendFrame(segment.Begin(c), segment.Batch, segment.AppendRecord(nil, rec, h), false)
			m.files["00000004.seg"] = segment.AppendFrame(b, segment.Check, m.key.Check(241, h).Append(nil), false)
		}, 241, 0, Cut},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := makeJournal(t)
			if r, err := Run(m.source()); err != nil || !r.Whole() || r.Entries != 300 || r.Proven != 300 {
				t.Fatalf("before the edit: %+v %v", r, err)
			}
			tc.edit(t, m)
			r, err := Run(m.source())
			if err != nil {
				t.Fatal(err)
			}
			bad := r.FirstBad()
			if r.Whole() || bad < tc.bad || bad > tc.bad+tc.within || !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == tc.kind }) {
				t.Errorf("first bad entry %d, want %d (+%d), %s\n%+v", bad, tc.bad, tc.within, tc.kind, r.Findings)
			}
		})
	}
}

// rechainSigned forges an entry, chains all anew and signs with the key that the
// thief found, as far as it goes.
func rechainSigned(t *testing.T, m *made, name string, seq uint64) []part {
	ps := apart(t, m.files[name])
	forge(t, ps, seq)
	ps = rechain(ps)
	cert, _ := seal.ParseCert(ps[0].raw)
	h := cert.Prev
	var out []part
	signed := false
	for i, p := range ps {
		for _, r := range p.recs {
			h = h.Next(r)
		}
		if p.kind == segment.Check {
			if c, _ := seal.ParseCheckpoint(p.raw); c.Seq >= seq {
				if signed || i < len(ps)-1 && c.Seq%100 != 0 {
					continue // older keys are gone
				}
				signed = true
				p.raw = m.key.Check(c.Seq, h).Append(nil)
			}
		}
		out = append(out, p)
	}
	return out
}

// cutAt cuts the last segment off behind the checkpoint at an entry.
func cutAt(t *testing.T, m *made, seq uint64) {
	ps := apart(t, m.files[last])
	for i, p := range ps {
		if c, err := seal.ParseCheckpoint(p.raw); p.kind == segment.Check && err == nil && c.Seq == seq {
			m.files[last] = join(ps[:i+1])
			return
		}
	}
	t.Fatal("no checkpoint there")
}

// What retention takes is signed and no fault; a power cut's torn end is none.
func TestNoFalseAlarm(t *testing.T) {
	dir := t.TempDir()
	var seq uint64
	for range 6 {
		s, _, err := shelf.Open(shelf.Opts{Dir: dir, NoSync: true, MaxBytes: 40 << 10, SegmentBytes: 4 << 10})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Tidy(); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			seq++
			e := entry.Entry{Seq: seq, Wall: noon, Level: "INFO", Code: "E-TXN-04", Tx: fmt.Sprint("cup-000001-", seq*7919%1000000), Fields: []entry.Pair{{Key: "x", Value: fmt.Sprint(seq * 2654435761)}}}
			if err := s.Append([]entry.Entry{e}, noon, true); err != nil {
				t.Fatal(err)
			}
		}
		// No Close: the power is cut, in the middle of a write.
		segs := s.Segments()
		name := filepath.Join(dir, segs[len(segs)-1].Name)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(segment.AppendFrame(nil, segment.Batch, make([]byte, 200), false)[:150])
		f.Close()
	}
	src, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(src)
	if err != nil || !r.Whole() || r.Removed == 0 || r.Last != seq || len(r.Notes) != 1 {
		t.Errorf("%+v %v", r, err)
	}
}
