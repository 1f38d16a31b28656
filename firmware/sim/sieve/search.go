package sieve

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/tape"
)

// Found is what was found of one kind and form at one place.
type Found struct {
	Place    string `json:"place"`
	Kind     Kind   `json:"kind"`
	Encoding string `json:"encoding"`
	Count    int    `json:"count"`
	Card     int    `json:"card"`   // the first one's number
	Offset   int64  `json:"offset"` // and where it stands
}

// Place is what was searched: so many bytes of it.
type Place struct {
	Name  string `json:"place"`
	Bytes int64  `json:"bytes"`
	Items int    `json:"items"` // files, regions, texts
}

// Search keeps what a sieve has gone through and found. It may be used by
// several goroutines.
type Search struct {
	s      *Sieve
	mu     sync.Mutex
	places map[string]*Place
	found  map[Found]*Found // by place, kind and encoding
	spelt  int
}

// Search begins one.
func (s *Sieve) Search() *Search {
	return &Search{s: s, places: map[string]*Place{}, found: map[Found]*Found{}}
}

// Read searches what r gives, as an item of a place.
func (x *Search) Read(place string, r io.Reader) error {
	n, err := x.s.Read(r, func(h Hit) { x.hit(place, h) })
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.places[place]
	if p == nil {
		p = &Place{Name: place}
		x.places[place] = p
	}
	p.Bytes += n
	p.Items++
	return err
}

// Text searches a text.
func (x *Search) Text(place, text string) { x.Read(place, strings.NewReader(text)) }

func (x *Search) hit(place string, h Hit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if h.Spelt {
		x.spelt++
		return
	}
	k := Found{Place: place, Kind: h.Kind, Encoding: h.Encoding}
	f := x.found[k]
	if f == nil {
		f = &Found{Place: place, Kind: h.Kind, Encoding: h.Encoding, Card: h.Number, Offset: h.Offset}
		x.found[k] = f
	}
	f.Count++
}

// Tree searches every file under a folder and the names themselves. name gives
// the place of a file; "" leaves it out.
func (x *Search) Tree(dir string, name func(path string) string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		place := name(rel)
		if place == "" {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		x.Text(place, rel)
		if strings.HasSuffix(path, ".seg") { // packed: what it says is looked at, too
			b, err := io.ReadAll(f)
			if err != nil {
				return err
			}
			var said []byte
			segment.Walk(rel, b, func(rec []byte, _ uint64) {
				said = append(entry.AppendLine(said, rec), '\n')
				if e, err := entry.Parse(rec); err == nil {
					if b := journal.TapeOf(e); b != nil {
						said = append(append(said, tape.Plain(b)...), '\n')
					}
				}
			})
			if err := x.Read(place, bytes.NewReader(said)); err != nil {
				return err
			}
			return x.Read(place, bytes.NewReader(b))
		}
		return x.Read(place, f)
	})
}

// region is a line of /proc/PID/maps.
type region struct {
	from, to int64
	name     string
}

// regions are the readable mappings of a process, without those that are the
// kernel's.
func regions(pid int) (out []region, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 5 || f[1][0] != 'r' {
			continue
		}
		from, to, _ := strings.Cut(f[0], "-")
		a, err1 := strconv.ParseInt(from, 16, 64)
		b, err2 := strconv.ParseInt(to, 16, 64)
		r := region{from: a, to: b, name: "anonymous"}
		if len(f) > 5 {
			r.name = filepath.Base(f[5])
		}
		if err1 != nil || err2 != nil || r.name == "[vvar]" || r.name == "[vdso]" || r.name == "[vsyscall]" || strings.HasPrefix(r.name, "[vvar") {
			continue // the last are above what a file offset can say
		}
		out = append(out, r)
	}
	return out, nil
}

// ErrMemory says that the memory of a process may not be read by this one.
var ErrMemory = errors.New("sieve: the process's memory is closed to this user (it is not dumpable): root is needed")

// Memory searches all memory of a process, which stands still meanwhile.
func (x *Search) Memory(place string, pid int) error {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if errors.Is(err, fs.ErrPermission) {
		return ErrMemory
	}
	if err != nil {
		return err
	}
	defer mem.Close()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	rs, err := regions(pid)
	if err != nil {
		return err
	}
	if len(rs) == 0 {
		return ErrMemory
	}
	for _, r := range rs {
		name := place + " " + r.name
		if err := x.Read(name, io.NewSectionReader(mem, r.from, r.to-r.from)); err != nil && !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.EFAULT) {
			return fmt.Errorf("sieve: %s: %w", name, err)
		}
	}
	return nil
}

// Places are those searched, by name.
func (x *Search) Places() (out []Place) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.places {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Place) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Spelt is how often a text in base64 spelt the packed form of a secret.
func (x *Search) Spelt() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.spelt
}

// Found is what was found, by place; none is what is wanted.
func (x *Search) Found() (out []Found) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, f := range x.found {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Encoding, b.Encoding))
	})
	return out
}
