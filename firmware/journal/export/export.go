// Package export is a journal in one file: made on the device, opened anywhere,
// and still provable there.
//
// Sources:
//   - WIRE: doc/wire.md, the journal's files
//
// The file is "SWJX1\n" and frames (package segment): M, a manifest in JSON; for each file
// of the journal F, its name, a zero byte and its bytes; last Z, the SHA-256
// of all before it. The secret key is no part of it.
package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/journal/query"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/journal/shelf"
	"swipewell/firmware/journal/verify"
)

// Magic begins an export.
const Magic = "SWJX1\n"

const (
	manifest segment.Kind = 'M'
	file     segment.Kind = 'F'
	end      segment.Kind = 'Z'
)

// Manifest says what an export is.
type Manifest struct {
	Version  int               `json:"version"`
	Made     time.Time         `json:"made"` // by the device's wall clock
	Terminal string            `json:"terminal,omitempty"`
	Build    string            `json:"build,omitempty"`
	Boot     string            `json:"boot,omitempty"`
	Roots    map[string]string `json:"roots"`             // the first public key of each stream, in hex
	Anchors  map[string]Point  `json:"anchors,omitempty"` // the last checkpoint of each
	// Excerpt says what was picked, of an export that has not all: "tx 000123", "last 200".
	Excerpt string `json:"excerpt,omitempty"`
}

// Point is an anchor in JSON.
type Point struct {
	Era  uint32 `json:"era"`
	N    uint32 `json:"n"`
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// PointOf is an anchor's form in a manifest.
func PointOf(a shelf.Anchor) Point { return Point{a.Era, a.N, a.Seq, hex.EncodeToString(a.Hash[:])} }

// Write writes the export of a journal's folder. Segments that retention takes
// away meanwhile are left out; their removal is signed.
func Write(w io.Writer, dir string, streams []string, m Manifest) error {
	names, err := list(dir, streams)
	if err != nil {
		return err
	}
	return Assemble(w, Rooted(dir, streams, m), names, func(name string) ([]byte, error) {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return b, err
	})
}

// Rooted is a manifest with the version and the root keys of a folder.
func Rooted(dir string, streams []string, m Manifest) Manifest {
	m.Version, m.Roots = segment.Version, map[string]string{}
	for _, s := range streams {
		if k, err := shelf.Root(filepath.Join(dir, s)); err == nil {
			m.Roots[s] = hex.EncodeToString(k[:])
		}
	}
	return m
}

// list is the files of an export, in its order.
func list(dir string, streams []string) (names []string, err error) {
	for _, s := range streams {
		ds, err := os.ReadDir(filepath.Join(dir, s))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, d := range ds {
			if strings.HasSuffix(d.Name(), ".seg") {
				names = append(names, s+"/"+d.Name())
			}
		}
		names = append(names, s+"/root", s+"/gone") // gone last: what went meanwhile is in it
	}
	return names, nil
}

// Assemble makes an export of files that were read one by one; one that is nil is left out.
func Assemble(w io.Writer, m Manifest, names []string, read func(name string) ([]byte, error)) error {
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	if _, err := io.WriteString(out, Magic); err != nil {
		return err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := out.Write(segment.AppendFrame(nil, manifest, raw, false)); err != nil {
		return err
	}
	for _, name := range names {
		b, err := read(name)
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		p := append(append([]byte(name), 0), b...)
		// A segment's frames are packed already, and stand as they are: what a torn export still has of them
		// can be read. An excerpt goes a narrow way.
		pack := m.Excerpt != "" || !strings.HasSuffix(name, ".seg")
		if _, err := out.Write(segment.AppendFrame(nil, file, p, pack)); err != nil {
			return err
		}
	}
	_, err = w.Write(segment.AppendFrame(nil, end, sum.Sum(nil), false))
	return err
}

// Archive is an export that was read.
type Archive struct {
	Manifest Manifest
	Files    map[string][]byte // "info/00000001.seg"
	Whole    bool              // its sum fits: nothing was cut off or changed since it was made
	Damage   []segment.Damage
}

// ErrForeign says that a file is no export.
var ErrForeign = errors.New("export: this is not an export of a journal")

// Is tells that a file begins like an export.
func Is(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	b := make([]byte, len(Magic))
	_, err = io.ReadFull(f, b)
	return err == nil && string(b) == Magic
}

// Read reads an export. One that was cut or damaged gives what of it is whole.
func Read(b []byte) (*Archive, error) {
	if !bytes.HasPrefix(b, []byte(Magic)) {
		return nil, ErrForeign
	}
	a := &Archive{Files: map[string][]byte{}}
	var bad error
	a.Damage = segment.Scan(b[len(Magic):], func(f segment.Frame) bool {
		p, err := f.Payload(nil)
		if err != nil {
			return true
		}
		switch f.Kind {
		case manifest:
			bad = json.Unmarshal(p, &a.Manifest)
		case file:
			name, data, ok := bytes.Cut(p, []byte{0})
			if ok && safe(string(name)) {
				a.Files[string(name)] = bytes.Clone(data)
			}
		case end:
			want := sha256.Sum256(b[:len(Magic)+int(f.Off)])
			a.Whole = bytes.Equal(p, want[:])
		}
		return true
	})
	if bad != nil {
		return nil, fmt.Errorf("export: manifest: %w", bad)
	}
	for _, d := range a.Damage {
		name, data, ok := torn(b[len(Magic)+int(d.From):])
		if _, have := a.Files[name]; ok && !have {
			a.Files[name] = bytes.Clone(data)
		}
	}
	return a, nil
}

// torn is a segment whose frame in the export is damaged or was cut: its own frames tell what of it is whole.
func torn(b []byte) (name string, data []byte, ok bool) {
	payload, ok := segment.Torn(b, file)
	if !ok {
		return "", nil, false
	}
	n, data, ok := bytes.Cut(payload, []byte{0})
	return string(n), data, ok && len(n) < 64 && safe(string(n)) && strings.HasSuffix(string(n), ".seg")
}

// safe: a name of an export leads nowhere but into its own folder.
func safe(name string) bool {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	return name == path.Clean(name) && base != "" && dir != "" && !strings.ContainsAny(dir, "/\\") && dir != ".." && base != ".." && !strings.Contains(base, "\\")
}

// Streams are the folders that an export has.
func (a *Archive) Streams() (out []string) {
	for name := range a.Files {
		if s := path.Dir(name); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// Extract writes the files into a folder that is not there yet, or is empty.
func (a *Archive) Extract(dir string) error {
	if ds, err := os.ReadDir(dir); err == nil && len(ds) > 0 {
		return fmt.Errorf("export: %s is not empty", dir)
	}
	for name, b := range a.Files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// stream is one of an export's, for queries.
type stream struct {
	a    *Archive
	dir  string
	segs []segment.Meta
}

func (s stream) Segments() []segment.Meta { return s.segs }

func (s stream) Open(name string) (segment.File, io.Closer, error) {
	b, ok := s.a.Files[s.dir+"/"+name]
	if !ok {
		return nil, nil, os.ErrNotExist
	}
	return bytes.NewReader(b), io.NopCloser(nil), nil
}

// Set is the export for queries.
func (a *Archive) Set() (set query.Set, err error) {
	for _, dir := range a.Streams() {
		s := stream{a: a, dir: dir}
		for name, b := range a.Files {
			if path.Dir(name) != dir || !strings.HasSuffix(name, ".seg") {
				continue
			}
			m, err := segment.Stat(path.Base(name), bytes.NewReader(b), int64(len(b)))
			if err != nil {
				return nil, err
			}
			s.segs = append(s.segs, m)
		}
		slices.SortFunc(s.segs, func(x, y segment.Meta) int { return strings.Compare(x.Name, y.Name) })
		set = append(set, s)
	}
	return set, nil
}

// Source is a stream of the export to be verified; root is known from outside, or zero.
func (a *Archive) Source(dir string, root seal.Public) verify.Source {
	src := verify.Source{Root: root, Excerpt: a.Manifest.Excerpt != ""}
	for name, b := range a.Files {
		if path.Dir(name) != dir {
			continue
		}
		switch base := path.Base(name); {
		case strings.HasSuffix(base, ".seg"):
			src.Files = append(src.Files, verify.File{Name: base, Bytes: func() ([]byte, error) { return b, nil }})
		case base == "gone":
			src.Removals = shelf.ParseRemovals(b)
		}
	}
	slices.SortFunc(src.Files, func(x, y verify.File) int { return strings.Compare(x.Name, y.Name) })
	if k, err := hex.DecodeString(a.Manifest.Roots[dir]); err == nil && len(k) == len(src.Claimed) {
		copy(src.Claimed[:], k)
	}
	if p, ok := a.Manifest.Anchors[dir]; ok {
		x := shelf.Anchor{Root: src.Claimed, Era: p.Era, N: p.N, Seq: p.Seq}
		if h, err := hex.DecodeString(p.Hash); err == nil {
			copy(x.Hash[:], h)
			src.Anchors = append(src.Anchors, x)
		}
	}
	return src
}
