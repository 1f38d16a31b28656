package shelf

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
)

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
		if err := s.begin(sync); err != nil {
			return err
		}
	}
	chain, since := s.chain, s.since
	rec, batch := s.rec, s.batch[:0]
	for i := range es {
		rec = es[i].Append(rec[:0])
		chain = chain.Next(rec)
		batch = segment.AppendRecord(batch, rec, chain)
	}
	s.rec, s.batch = rec, batch
	last := max(s.last, es[len(es)-1].Seq)
	since += len(es)
	var out []byte
	if len(batch) > 512 {
		out = segment.AppendLive(s.out[:0], segment.Batch, batch)
	} else {
		out = segment.AppendFrame(s.out[:0], segment.Batch, batch, false)
	}
	key := *s.key
	var point seal.Checkpoint
	if sync && since >= s.o.CheckEvery {
		point = key.Check(last, chain)
		out = segment.AppendFrame(out, segment.Check, point.Append(nil), false)
	}
	if s.out = out; cap(out)+cap(batch) > 1<<20 { // many waited for a disk that took nothing
		s.rec, s.batch, s.out = nil, nil, nil
	}
	if err := s.write(out, sync); err != nil {
		return err
	}
	if key.N != s.key.N {
		s.moveOn(key, point, true)
		since = 0
	}
	s.chain, s.last, s.since = chain, last, since
	s.note(es)
	s.appends++
	if s.size >= s.o.SegmentBytes || s.last-s.begun >= segmentEntries {
		_ = s.Rotate(now) // the entries are on disk; what failed is tried again with the next ones
	} else if s.appends%64 == 0 {
		_ = s.Prune(now)
	}
	return nil
}

// moveOn puts the next key in force: its checkpoint is on disk. A key file that cannot
// be written is behind, and catches up with the next checkpoint or at the next opening.
func (s *Shelf) moveOn(key seal.Key, point seal.Checkpoint, sync bool) {
	if sync {
		_ = s.writeKey(&key)
	}
	*s.key, s.point = key, point
}

// settle makes durable what Append wrote without it, and signs it if it is due.
func (s *Shelf) settle() error {
	switch {
	case s.f == nil:
		s.join()
		return nil
	case !s.dirty:
		return nil
	case s.since >= s.o.CheckEvery:
		return s.Checkpoint()
	}
	if err := s.durable(); err != nil {
		return err
	}
	s.dirty = false
	return nil
}

// durable waits until all that was written is on disk, and lets the key on disk follow.
func (s *Shelf) durable() error {
	s.join()
	if err := s.sync(s.f); err != nil || !s.fresh {
		return err
	}
	if err := s.syncDir(); err != nil {
		return err
	}
	s.fresh = false
	_ = s.writeKey(s.key) // one that is behind catches up
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
			err = s.durable()
		}
		if err == nil {
			s.dirty = !sync
			s.size += int64(n)
			s.written += int64(n)
			return nil
		}
		terr := s.f.Truncate(s.size)
		if len(s.packs) > 0 && terr == nil && errors.Is(err, syscall.ENOSPC) { // what is being packed takes less room when it is done
			s.join()
			continue
		}
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
	return s.removeOldest(s.o.Now(), func(segment.Meta) seal.Reason { return seal.Full }) == nil
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
func (s *Shelf) Checkpoint() error { return s.checkpoint(true) }

func (s *Shelf) checkpoint(sync bool) error {
	if s.f == nil || s.since == 0 {
		return nil
	}
	key := *s.key
	point := key.Check(s.last, s.chain)
	if err := s.write(segment.AppendFrame(nil, segment.Check, point.Append(nil), false), sync); err != nil {
		return err
	}
	s.moveOn(key, point, sync)
	s.since = 0
	s.note(nil)
	return nil
}
