package shelf

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
)

// Rotate closes the live segment, packs it and begins the next. Nobody waits for the disk here:
// settle does, before the key on disk moves on.
func (s *Shelf) Rotate(now time.Time) error {
	if err := s.checkpoint(false); err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	if err := s.Prune(now); err != nil {
		return err
	}
	return s.begin(false)
}

// finish closes the live file and begins to pack it.
func (s *Shelf) finish() error {
	if len(s.packs) >= packsMost {
		s.join()
	}
	s.mu.Lock()
	m := s.segs[len(s.segs)-1]
	s.mu.Unlock()
	p, err := s.packing(m)
	if s.fresh { // a whole segment since anybody waited for the disk: the next one's name must not be there before this one
		err = errors.Join(err, s.sync(s.f), s.syncDir())
	}
	if p == nil && s.dirty { // it stays as it is
		err = errors.Join(err, s.sync(s.f))
	}
	err = errors.Join(err, s.f.Close())
	s.f = nil
	if p != nil {
		p.start()
		s.packs = append(s.packs, p)
	}
	return err
}

// pack is a closed segment on its way into its place.
type pack struct {
	s    *Shelf
	m    segment.Meta // what it becomes
	b    []byte
	done chan error
}

// packing makes a segment's closed form. nil: one that is damaged, or of a newer version,
// stays as it is.
func (s *Shelf) packing(m segment.Meta) (*pack, error) {
	b, err := os.ReadFile(filepath.Join(s.o.Dir, m.Name))
	if err != nil {
		return nil, err
	}
	out, closed, ok := segment.Archive(m.Name, b)
	if !ok {
		return nil, nil
	}
	return &pack{s: s, m: closed, b: out, done: make(chan error, 1)}, nil
}

func (p *pack) start() { go func() { p.done <- p.s.replace(p.m.Name, p.b) }() }

// packsMost is how many segments may be on their way at once.
const packsMost = 6

// packOf is the packing of a segment that is under way; nil none.
func (s *Shelf) packOf(name string) *pack {
	for _, p := range s.packs {
		if p.m.Name == name {
			return p
		}
	}
	return nil
}

// join waits until the segments that are being packed are in their places, or their open forms on disk.
func (s *Shelf) join() {
	ps := s.packs
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = <-p.done
	}
	s.packs = nil
	for i, p := range ps {
		err := errs[i]
		for errors.Is(err, syscall.ENOSPC) && s.makeRoom() && s.has(p.m.Name) {
			err = s.replace(p.m.Name, p.b)
		}
		if err != nil { // it is as good unpacked
			if f, err := os.Open(filepath.Join(s.o.Dir, p.m.Name)); err == nil {
				_ = s.sync(f)
				f.Close()
			}
			continue
		}
		s.written += int64(len(p.b))
		s.mu.Lock()
		for i := range s.segs {
			if s.segs[i].Name == p.m.Name {
				s.segs[i] = p.m
			}
		}
		s.mu.Unlock()
	}
}

// has tells that a segment was not taken away.
func (s *Shelf) has(name string) bool {
	return slices.ContainsFunc(s.Segments(), func(m segment.Meta) bool { return m.Name == name })
}

// Tidy packs what an unclean end left open. Not done while the program starts:
// it is the writer's first work.
func (s *Shelf) Tidy() error {
	var errs error
	s.join()
	for _, m := range s.Segments() {
		if m.Closed || s.f != nil && m.Cert.Era == s.key.Era {
			continue
		}
		p, err := s.packing(m)
		errs = errors.Join(errs, err)
		if p != nil {
			p.start()
			s.packs = append(s.packs, p)
			s.join()
		}
	}
	return errs
}

// Prune takes the oldest away until the bounds hold, and never an entry of an
// open money case.
func (s *Shelf) Prune(now time.Time) error {
	for {
		segs := s.Segments()
		var sum int64
		for _, m := range segs {
			if sum += m.Size; s.packOf(m.Name) != nil {
				sum += s.packOf(m.Name).m.Size - m.Size
			}
		}
		if s.f != nil {
			sum -= s.size
		}
		tooMuch := sum > s.room()-s.trailSize()
		if tooMuch && len(s.packs) > 0 {
			s.join() // then it is known what there is
			continue
		}
		if _, known := s.openCases(); !known && sum < 2*s.o.MaxBytes {
			return nil
		}
		ends := map[uint32]int64{} // an era ends when the next one begins
		youngest := uint32(0)
		for _, m := range segs {
			if s.f == nil || m.Cert.Era != s.key.Era {
				youngest = m.Cert.Era
			}
			ends[m.Cert.Era-1] = m.Cert.At
		}
		err := s.removeOldest(now, func(m segment.Meta) seal.Reason {
			if tooMuch && m.Cert.Era != youngest { // a rotation does not empty the shelf
				return seal.Sized
			}
			// As old as its youngest entry, and as what follows it says: that is sealed by a key of later.
			at, ended := ends[m.Cert.Era]
			if hours := uint32(s.o.MaxAge / time.Hour); ended && hours > 0 && m.Count > 0 && now.UnixMilli()-max(at, m.To) > int64(hours)*3600e3 {
				return seal.Aged
			}
			return 0
		})
		if errors.Is(err, errNone) {
			s.keepReserve()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

var errNone = errors.New("shelf: nothing may be taken away")

// removeOldest takes away the oldest closed segment that may go and that no open case needs.
func (s *Shelf) removeOldest(now time.Time, why func(segment.Meta) seal.Reason) error {
	var marks []uint32
	txs, _ := s.openCases()
	for _, tx := range txs {
		marks = append(marks, segment.Mark(tx))
	}
	for i, m := range s.Segments() {
		reason := why(m)
		if s.packOf(m.Name) != nil {
			continue
		}
		if reason == 0 || s.f != nil && m.Cert.Era == s.key.Era || s.holds(m, marks) {
			continue
		}
		// What signs this, and what it is signed with, must not be lost to a power cut that leaves the signature.
		if s.join(); s.f != nil && s.fresh {
			if err := s.durable(); err != nil {
				return err
			}
		}
		r := s.key.Remove(m.Cert, m.Last, now.UnixMilli(), reason)
		if err := s.trail(r); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(s.o.Dir, m.Name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		s.mu.Lock()
		s.before = max(s.before, m.Cert.Before+uint64(m.Size))
		s.segs = append(s.segs[:i:i], s.segs[i+1:]...)
		s.removed++
		s.mu.Unlock()
		s.keep("spare", spare)
		return s.syncDir()
	}
	return errNone
}

// holds tells that a segment may have an entry of one of these transactions.
func (s *Shelf) holds(m segment.Meta, marks []uint32) bool {
	if len(marks) == 0 {
		return false
	}
	f, err := os.Open(filepath.Join(s.o.Dir, m.Name))
	if err != nil {
		return false
	}
	defer f.Close()
	x := segment.Open(f, m.Size)
	return x == nil || len(x.Pick(segment.Want{Marks: marks})) > 0
}

func (s *Shelf) trailSize() int64 {
	st, err := os.Stat(filepath.Join(s.o.Dir, gone))
	if err != nil {
		return 0
	}
	return st.Size()
}

func (s *Shelf) openCases() ([]string, bool) {
	if s.o.Open == nil {
		return nil, true
	}
	return s.o.Open()
}

// MostRemovals is how many removals are kept; the file is halved beyond. One takes RemovalBytes.
const (
	MostRemovals = 4096
	RemovalBytes = segment.FrameHead + seal.RemovalSize
)

// trail keeps a signed removal.
func (s *Shelf) trail(r seal.Removal) error {
	path := filepath.Join(s.o.Dir, gone)
	rows, err := Removals(s.o.Dir)
	if err != nil {
		return err
	}
	if len(rows) >= MostRemovals {
		var b []byte
		for _, r := range rows[len(rows)/2:] {
			b = segment.AppendFrame(b, removal, r.Append(nil), false)
		}
		if err := s.replace(gone, b); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	b := segment.AppendFrame(nil, removal, r.Append(nil), false)
	for {
		if _, err = f.Write(b); err == nil {
			return s.sync(f)
		}
		err = errors.Join(err, f.Truncate(st.Size()))
		if !errors.Is(err, syscall.ENOSPC) || os.Remove(filepath.Join(s.o.Dir, "spare")) != nil {
			return err
		}
	}
}

const removal segment.Kind = 'R'

// Removals are those that a folder tells of, the oldest first.
func Removals(dir string) ([]seal.Removal, error) {
	b, err := os.ReadFile(filepath.Join(dir, gone))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return ParseRemovals(b), err
}

// ParseRemovals reads the file gone.
func ParseRemovals(b []byte) (rows []seal.Removal) {
	segment.Scan(b, func(f segment.Frame) bool {
		p, err := f.Payload(nil)
		if err == nil && f.Kind == removal {
			if r, err := seal.ParseRemoval(p); err == nil {
				rows = append(rows, r)
			}
		}
		return true
	})
	return rows
}

func (s *Shelf) sync(f *os.File) error {
	if s.o.NoSync {
		return nil
	}
	return fdatasync(f)
}

func (s *Shelf) syncDir() error {
	if s.o.NoSync {
		return nil
	}
	d, err := os.Open(s.o.Dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeKey writes the key over the one that was: the old one shall not be
// found again, as far as the disk's own remapping allows.
func (s *Shelf) writeKey(k *seal.Key) error {
	f, err := os.OpenFile(filepath.Join(s.o.Dir, keyFile), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	b := k.Marshal()
	if _, err = f.WriteAt(b, 0); err == nil {
		err = s.sync(f)
	}
	clear(b)
	s.written += seal.Sector
	return errors.Join(err, f.Close())
}

// replace puts a file in the place of one of its name, whole or not at all.
func (s *Shelf) replace(name string, b []byte) error {
	tmp := filepath.Join(s.o.Dir, name+"~")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = s.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(tmp)
		return err
	}
	if err := os.Rename(tmp, filepath.Join(s.o.Dir, name)); err != nil {
		return err
	}
	return s.syncDir()
}
