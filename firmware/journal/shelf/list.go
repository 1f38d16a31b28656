package shelf

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
)

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

// Segments are those on the shelf, the oldest first.
func (s *Shelf) Segments() []segment.Meta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.segs)
}

// Stats of a shelf.
type Stats struct {
	Segments int    `json:"segments"`
	Bytes    int64  `json:"bytes"`
	Entries  int    `json:"entries"`
	Written  int64  `json:"written"` // since the start
	Removed  int    `json:"removed"` // segments, since the start
	Era      uint32 `json:"era"`
	Oldest   uint64 `json:"oldest,omitempty"` // number of the oldest entry that is kept
	From     int64  `json:"from,omitempty"`   // its time: Unix milliseconds
}

// Anchor is the last checkpoint, for whoever keeps it where the journal is not.
type Anchor struct {
	Root seal.Public
	Era  uint32
	N    uint32
	Seq  uint64
	Hash seal.Hash
}
