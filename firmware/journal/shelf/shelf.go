package shelf

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
)

// Opts of a shelf.
type Opts struct {
	Dir          string
	MaxBytes     int64         // of all segments
	MaxAge       time.Duration // by the wall clock; 0: no bound
	SegmentBytes int64         // of the live one; 0 means 1 MiB, or an eighth of MaxBytes
	Reserve      int64         // room kept for this shelf alone on a full disk
	CheckEvery   int           // entries between checkpoints; 0 means 256
	// Open tells the transactions whose money is not settled: their entries stay.
	// False: it is not known, and nothing is taken away before twice the bound.
	Open func() ([]string, bool)
	// NoSync leaves out waiting for the disk: training, tests.
	NoSync bool
}

// Found is what a shelf was like when it was opened.
type Found struct {
	Last    uint64 // the highest number on it
	Unclean bool   // the last life did not end by itself
	Torn    int64  // bytes of a torn write at the end
	Cut     uint32 // checkpoints that the key signed and that are gone: the tail was cut
	KeyLost bool   // a new chain begins
	New     bool
	Era     uint32 // the last one that was there
	First   uint32 // the one that began
}

// Shelf is an open folder. One goroutine may write; Segments may be called by any.
type Shelf struct {
	o Opts

	mu   sync.Mutex
	segs []segment.Meta // the last is the live one while f is open

	key     *seal.Key
	root    seal.Public
	f       *os.File
	size    int64
	chain   seal.Hash
	last    uint64
	begun   uint64 // last, when the live segment began
	since   int    // entries after the last checkpoint
	point   seal.Checkpoint
	appends int
	dirty   bool  // there are bytes that the disk may not have
	written int64 // bytes, since the start
	removed int
	found   Found // by the last opening
}

// segmentEntries bounds a live segment, too: it has no index, and is read whole.
const segmentEntries = 16 << 10

const (
	ext     = ".seg"
	keyFile = "seal.key"
	gone    = "gone"
)

// Open opens or makes a folder. The shelf can be used even if err is not nil:
// it tries again with each Append.
func Open(o Opts) (*Shelf, Found, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 20
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = min(1<<20, o.MaxBytes/8)
	}
	if o.CheckEvery <= 0 {
		o.CheckEvery = 256
	}
	s := &Shelf{o: o}
	f, err := s.open()
	return s, f, err
}

func (s *Shelf) open() (found Found, err error) {
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return found, err
	}
	segs, err := List(s.o.Dir)
	if err != nil {
		return found, err
	}
	// A head that a power cut tore begins no era, and nothing follows it.
	for n := len(segs); n > 0 && segs[n-1].Cert.Era == 0 && segs[n-1].Count == 0; n-- {
		if err := os.Remove(filepath.Join(s.o.Dir, segs[n-1].Name)); err != nil {
			return found, err
		}
		segs = segs[:n-1]
	}
	raw, kerr := os.ReadFile(filepath.Join(s.o.Dir, keyFile))
	key, perr := seal.ParseKey(raw)
	found.New = len(segs) == 0 && errors.Is(kerr, os.ErrNotExist)
	if perr != nil {
		found.KeyLost = !found.New
		if key, err = seal.NewKey(rand.Reader); err != nil {
			return found, err
		}
		s.root = key.Root()
		if err := s.replace("root", []byte(hex.EncodeToString(s.root[:])+"\n")); err != nil {
			return found, err
		}
		if err := s.replace(keyFile, key.Marshal()); err != nil { // before a segment that it signed
			return found, err
		}
	} else {
		s.root, _ = Root(s.o.Dir)
	}
	var chain seal.Hash
	if n := len(segs); n > 0 {
		m := segs[n-1]
		found.Last, chain, s.last = m.Last, m.Chain, m.Last
		found.Unclean = !m.Clean
		for _, d := range m.Damage {
			if d.Tail {
				found.Torn = d.To - d.From
			}
		}
		switch {
		case found.KeyLost:
		case key.Era > m.Cert.Era:
			found.Cut = key.N + 1
		case key.Era == m.Cert.Era && key.N > m.Checks:
			found.Cut = key.N - m.Checks
		case !key.Catch(m.Cert.Era, m.Checks):
			found.KeyLost = true
		}
		if perr != nil {
			key.Era = m.Cert.Era // numbers go on; its signature will not fit, and verify says so
		}
	} else if key.Era > 0 && perr == nil {
		found.Cut = key.N + 1
	}
	s.key, s.chain = key, chain
	s.mu.Lock()
	s.segs = segs
	s.mu.Unlock()
	s.keepReserve()
	if n := len(segs); n > 0 {
		found.Era = segs[n-1].Cert.Era
	}
	err = s.begin()
	found.First = s.key.Era
	s.mu.Lock()
	s.found = found
	s.mu.Unlock()
	return found, err
}

// begin starts a segment.
func (s *Shelf) begin() error {
	if s.key == nil {
		_, err := s.open()
		return err
	}
	key := *s.key
	cert := key.Begin(s.last, s.chain)
	name := fmt.Sprintf("%08d%s", cert.Era, ext)
	f, err := os.OpenFile(filepath.Join(s.o.Dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	head := segment.Begin(cert)
	if _, err = f.Write(head); err == nil {
		err = s.sync(f)
	}
	if err == nil {
		err = s.syncDir()
	}
	if err == nil {
		err = s.writeKey(&key)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	*s.key, s.f, s.size, s.since, s.begun = key, f, int64(len(head)), 0, s.last
	s.written += int64(len(head))
	s.mu.Lock()
	s.segs = append(s.segs, segment.Meta{Name: name, Cert: cert, Last: s.last, Size: s.size, Chain: s.chain, Next: cert.Epoch})
	s.mu.Unlock()
	return nil
}

// Append writes entries as one batch, with sync durable when it returns nil. Of those that
// could not be written, none is. A batch that need not be durable yet also waits for its
// checkpoint: the key may not run ahead of what is on disk.
func (s *Shelf) Append(es []entry.Entry, now time.Time, sync bool) error {
	if len(es) == 0 {
		if sync {
			return s.settle()
		}
		return nil
	}
	if s.f == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	chain, since := s.chain, s.since
	var rec, batch []byte
	for i := range es {
		rec = es[i].Append(rec[:0])
		chain = chain.Next(rec)
		batch = segment.AppendRecord(batch, rec, chain)
	}
	last := max(s.last, es[len(es)-1].Seq)
	since += len(es)
	out := segment.AppendFrame(nil, segment.Batch, batch, len(batch) > 512)
	key := *s.key
	var point seal.Checkpoint
	if sync && since >= s.o.CheckEvery {
		point = key.Check(last, chain)
		out = segment.AppendFrame(out, segment.Check, point.Append(nil), false)
	}
	if err := s.write(out, sync); err != nil {
		return err
	}
	if key.N != s.key.N {
		if err := s.writeKey(&key); err != nil {
			return err
		}
		*s.key, since, s.point = key, 0, point
	}
	s.chain, s.last, s.since = chain, last, since
	s.note(es)
	s.appends++
	if s.size >= s.o.SegmentBytes || s.last-s.begun >= segmentEntries {
		return s.Rotate(now)
	}
	if s.appends%64 == 0 {
		return s.Prune(now)
	}
	return nil
}

// settle makes durable what Append wrote without it, and signs it if it is due.
func (s *Shelf) settle() error {
	switch {
	case s.f == nil || !s.dirty:
		return nil
	case s.since >= s.o.CheckEvery:
		return s.Checkpoint()
	}
	if err := s.sync(s.f); err != nil {
		return err
	}
	s.dirty = false
	return nil
}

// note keeps the live segment's line in the list.
func (s *Shelf) note(es []entry.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.segs[len(s.segs)-1]
	for i := range es {
		w := es[i].Wall.UnixMilli()
		if m.Count == 0 {
			m.First, m.From, m.To = es[i].Seq, w, w
		}
		m.Count++
		m.From, m.To, m.Levels = min(m.From, w), max(m.To, w), m.Levels|segment.LevelBit(es[i].Level)
	}
	m.Last, m.Size, m.Chain, m.Checks = s.last, s.size, s.chain, s.key.N
}

// write appends to the live file, and leaves nothing torn behind. On a full
// disk the reserve is spent, then old segments.
func (s *Shelf) write(b []byte, sync bool) error {
	for {
		n, err := s.f.WriteAt(b, s.size)
		if err == nil && sync {
			err = s.sync(s.f)
		}
		if err == nil {
			s.dirty = !sync
			s.size += int64(n)
			s.written += int64(n)
			return nil
		}
		terr := s.f.Truncate(s.size)
		if !errors.Is(err, syscall.ENOSPC) || terr != nil || !s.makeRoom() {
			return err
		}
	}
}

// makeRoom gives the disk something back.
func (s *Shelf) makeRoom() bool {
	if s.o.Reserve > 0 && os.Remove(filepath.Join(s.o.Dir, "reserve")) == nil {
		return true
	}
	return s.removeOldest(func(segment.Meta) bool { return true }) == nil
}

// spare is room for the signed removal that makes room.
const spare = 8 << 10

// keepReserve takes room ahead of need, if there is any.
func (s *Shelf) keepReserve() {
	s.keep("spare", spare)
	if s.o.Reserve > 0 {
		s.keep("reserve", s.o.Reserve)
	}
}

func (s *Shelf) keep(name string, size int64) {
	path := filepath.Join(s.o.Dir, name)
	if st, err := os.Stat(path); err == nil && st.Size() == size {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return // the disk is full: there is nothing to keep
	}
	defer f.Close()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		os.Remove(path)
	}
}

// Checkpoint signs what has been written.
func (s *Shelf) Checkpoint() error {
	if s.f == nil || s.since == 0 {
		return nil
	}
	key := *s.key
	point := key.Check(s.last, s.chain)
	if err := s.write(segment.AppendFrame(nil, segment.Check, point.Append(nil), false), true); err != nil {
		return err
	}
	if err := s.writeKey(&key); err != nil {
		return err
	}
	*s.key, s.since, s.point = key, 0, point
	s.note(nil)
	return nil
}

// Close signs, packs and closes the live segment.
func (s *Shelf) Close() error {
	if s.f == nil {
		return nil
	}
	return errors.Join(s.Checkpoint(), s.finish())
}

// Anchor is the last checkpoint, for whoever keeps it where the journal is not.
type Anchor struct {
	Root seal.Public
	Era  uint32
	N    uint32
	Seq  uint64
	Hash seal.Hash
}

// Anchor is the last checkpoint; false: there is none yet.
func (s *Shelf) Anchor() (Anchor, bool) {
	p := s.point
	return Anchor{s.root, p.Era, p.N, p.Seq, p.Hash}, p.Era > 0
}

// Behind tells why what Open found cannot be what the anchor was of; "" if it can.
func (s *Shelf) Behind(a Anchor) string {
	s.mu.Lock()
	found, root := s.found, s.root
	s.mu.Unlock()
	switch {
	case a.Root != root:
		return "it is sealed with another key than the one that was anchored"
	case a.Era <= found.Era && a.Seq > found.Last, a.Era > found.Era && a.Era < found.First, a.Era > s.era():
		return fmt.Sprintf("entry %d was anchored, and the last one found was %d", a.Seq, found.Last)
	}
	return ""
}

// era is the one under way, for whoever is not the writer.
func (s *Shelf) era() (n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.segs {
		n = max(n, m.Cert.Era)
	}
	return n
}

// Stats of a shelf.
type Stats struct {
	Segments int    `json:"segments"`
	Bytes    int64  `json:"bytes"`
	Entries  int    `json:"entries"`
	Written  int64  `json:"written"` // since the start
	Removed  int    `json:"removed"` // segments, since the start
	Era      uint32 `json:"era"`
}

// Stats tells sizes. The writer calls it.
func (s *Shelf) Stats() (st Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Segments, st.Written, st.Removed = len(s.segs), s.written, s.removed
	for _, m := range s.segs {
		st.Bytes += m.Size
		st.Entries += m.Count
		st.Era = m.Cert.Era
	}
	return st
}

// Segments are those on the shelf, the oldest first.
func (s *Shelf) Segments() []segment.Meta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.segs)
}

// List reads what a folder has.
func List(dir string) (segs []segment.Meta, err error) {
	ds, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, d := range ds {
		if !strings.HasSuffix(d.Name(), ext) {
			continue
		}
		f, err := os.Open(filepath.Join(dir, d.Name()))
		if err != nil {
			return nil, err
		}
		st, err := f.Stat()
		if err == nil && st.Mode().IsRegular() {
			var m segment.Meta
			m, err = segment.Stat(d.Name(), f, st.Size())
			segs = append(segs, m)
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(segs, func(a, b segment.Meta) int { return strings.Compare(a.Name, b.Name) })
	return segs, nil
}

// Root is the public key of a folder's first era, as the folder claims it.
func Root(dir string) (p seal.Public, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "root"))
	if err != nil {
		return p, err
	}
	k, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(k) != len(p) {
		return p, fmt.Errorf("shelf: root is no key: %w", err)
	}
	copy(p[:], k)
	return p, nil
}
