package shelf

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/hal"
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
	// Now is the wall clock; nil means the machine's.
	Now func() time.Time
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
	dirty   bool   // there are bytes that the disk may not have
	fresh   bool   // nor the live segment's name, nor the key that it began with
	rec     []byte // of Append, kept from call to call, as are batch and out
	batch   []byte
	out     []byte
	packs   []*pack // the segments before it that are on their way into their places
	written int64   // bytes, since the start
	removed int
	before  uint64 // bytes of all closed segments there ever were, as far as is known
	found   Found  // by the last opening
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
	if o.Now == nil {
		o.Now = func() time.Time { return hal.SystemClock{}.Now().Wall }
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
	raw, kerr := os.ReadFile(filepath.Join(s.o.Dir, keyFile))
	key, perr := seal.ParseKey(raw)
	// A segment whose head a power cut tore begins no era, and nothing that the disk had promised
	// to have is in it: the key would have moved on.
	for n := len(segs); n > 0 && segs[n-1].Cert.Era == 0 && (segs[n-1].Count == 0 || perr == nil && eraOf(segs[n-1].Name) > key.Era); n-- {
		if err := os.Remove(filepath.Join(s.o.Dir, segs[n-1].Name)); err != nil {
			return found, err
		}
		segs = segs[:n-1]
	}
	if perr == nil && len(segs) > 0 {
		if found.Torn, err = s.tornWrite(&segs[len(segs)-1], key); err != nil {
			return found, err
		}
	}
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
	removed, last := uint32(0), uint64(0) // the youngest that was taken away
	if rows, err := Removals(s.o.Dir); err == nil {
		for _, r := range rows {
			removed, last = max(removed, r.Cert.Era), max(last, r.Last)
			s.before = max(s.before, r.Cert.Before)
		}
	}
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
		case key.Era > m.Cert.Era && removed >= key.Era: // the power went before the next one began
			found.Last, s.last, chain = max(found.Last, last), max(s.last, last), seal.Hash{}
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
	} else if key.Era > 0 && perr == nil && removed >= key.Era {
		found.Last, s.last = last, last
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
	// What a life wrote last that fell without a power cut, the disk may not have yet: the next era must not be there
	// before it.
	for _, m := range segs {
		if m.Closed {
			continue
		}
		if f, err := os.Open(filepath.Join(s.o.Dir, m.Name)); err == nil {
			_ = s.sync(f)
			f.Close()
		}
	}
	err = s.begin(true)
	found.First = s.key.Era
	s.mu.Lock()
	s.found = found
	s.mu.Unlock()
	return found, err
}

// tornWrite takes the end of the last segment away where a power cut has left the checkpoint of a write and not the batch
// that it signs: they are one write, of which any sectors may be on the disk. The key has not moved on, so
// nobody was told that it was there.
func (s *Shelf) tornWrite(m *segment.Meta, key *seal.Key) (torn int64, err error) {
	n := len(m.Damage)
	if m.Closed || n == 0 || m.Damage[n-1].Tail || key.Era > m.Cert.Era {
		return 0, nil
	}
	d, path := m.Damage[n-1], filepath.Join(s.o.Dir, m.Name)
	b, err := os.ReadFile(path)
	if err != nil || d.To > int64(len(b)) {
		return 0, err
	}
	frames, fits := 0, false
	segment.Scan(b[d.To:], func(f segment.Frame) bool {
		frames++
		if p, err := f.Payload(nil); err == nil && f.Kind == segment.Check {
			c, err := seal.ParseCheckpoint(p)
			fits = err == nil && (c.N >= key.N || key.Era < m.Cert.Era)
		}
		return true
	})
	if frames != 1 || !fits {
		return 0, nil
	}
	if err := os.Truncate(path, d.From); err != nil {
		return 0, err
	}
	*m = segment.Walk(m.Name, b[:d.From], nil)
	return int64(len(b)) - d.From, nil
}

// eraOf is the era that a segment's name says; 0: none.
func eraOf(name string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSuffix(name, ext), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// bounds are what the next era begins with.
func (s *Shelf) bounds() seal.Bounds {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.segs); n > 0 {
		size := s.segs[n-1].Size
		if p := s.packOf(s.segs[n-1].Name); p != nil {
			size = p.m.Size
		}
		s.before = max(s.before, s.segs[n-1].Cert.Before+uint64(size))
	}
	return seal.Bounds{At: s.o.Now().UnixMilli(), Before: s.before, Room: uint64(max(s.room(), 1)), Hours: uint32(s.o.MaxAge / time.Hour)}
}

// room is what closed segments may take: the live one may grow to its full size, and the
// other files have theirs.
func (s *Shelf) room() int64 {
	return s.o.MaxBytes - s.o.SegmentBytes - s.o.Reserve - spare - 2*seal.Sector
}

// begin starts a segment; without sync it is on disk with the next settle, and the key behind it.
func (s *Shelf) begin(sync bool) error {
	if s.key == nil {
		_, err := s.open()
		return err
	}
	for {
		err := s.tryBegin(sync)
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		if len(s.packs) > 0 {
			s.join() // what is packed takes less room
		} else if !s.makeRoom() {
			return err
		}
	}
}

func (s *Shelf) tryBegin(sync bool) error {
	key := *s.key
	cert := key.Begin(s.last, s.chain, s.bounds())
	name := fmt.Sprintf("%08d%s", cert.Era, ext)
	f, err := os.OpenFile(filepath.Join(s.o.Dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	head := segment.Begin(cert)
	if _, err = f.Write(head); err == nil && sync {
		if err = s.sync(f); err == nil {
			err = s.syncDir()
		}
		if err == nil {
			err = s.writeKey(&key)
		}
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	*s.key, s.f, s.size, s.since, s.begun = key, f, int64(len(head)), 0, s.last
	s.fresh, s.dirty = !sync, !sync
	s.written += int64(len(head))
	s.mu.Lock()
	s.segs = append(s.segs, segment.Meta{Name: name, Cert: cert, Last: s.last, Size: s.size, Chain: s.chain, Next: cert.Epoch})
	s.mu.Unlock()
	return nil
}

// Close signs, packs and closes the live segment.
func (s *Shelf) Close() error {
	if s.f == nil {
		return nil
	}
	err := errors.Join(s.Checkpoint(), s.finish())
	s.join()
	return err
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

// Stats tells sizes. The writer calls it.
func (s *Shelf) Stats() (st Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Segments, st.Written, st.Removed = len(s.segs), s.written, s.removed
	for _, m := range s.segs {
		if m.Count > 0 && st.Oldest == 0 {
			st.Oldest, st.From = m.First, m.From
		}
		st.Bytes += m.Size
		st.Entries += m.Count
		st.Era = m.Cert.Era
	}
	return st
}
