package export

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
)

// An excerpt is an export of a part of a journal that is provable like the whole. Of the segments
// in which something is wanted it has the head, all checkpoints up to the last that is needed,
// and the spans between two checkpoints in which there is a wanted entry, whole: the chain within
// a span, and its signature, are checked as ever; what is left out is named. Heads of older
// eras are in it while they are few, so that the root's key leads to them. ADR 43.

// leadEras is how many eras from the first one on an excerpt carries by their heads alone.
const leadEras = 16

// span is what lies between two checkpoints of a segment.
type span struct {
	batch  []byte // records, as they are chained
	check  []byte // the checkpoint; nil: not signed yet
	wanted bool
}

// Excerpt writes what of a journal's folder has the wanted entries, in at most so many bytes: the
// older spans are left out where they do not fit. fit tells that none was; n is how many entries
// are in it that were wanted.
func Excerpt(w io.Writer, dir string, streams []string, m Manifest, wanted map[uint64]bool, most int) (n int, fit bool, err error) {
	names, err := list(dir, streams)
	if err != nil {
		return 0, false, err
	}
	files := map[string][]byte{}
	var kept []string
	fit = true
	room := most - 2<<10 // manifest, frames
	for i := len(names) - 1; i >= 0; i-- {
		if !strings.HasSuffix(names[i], ".seg") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(names[i])))
		if errors.Is(err, os.ErrNotExist) { // retention took it meanwhile
			continue
		}
		if err != nil {
			return 0, false, err
		}
		part, got, all := cut(b, wanted, room)
		fit = fit && all
		if got > 0 {
			files[names[i]], n = part, n+got
			room -= len(part)
			kept = append(kept, names[i])
		}
	}
	for _, s := range streams {
		room -= lead(dir, s, files, room)
	}
	for name := range files {
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	m.Anchors = nil // they are of what is not here
	return n, fit, Assemble(w, Rooted(dir, streams, m), kept, func(name string) ([]byte, error) { return files[name], nil })
}

// cut leaves of a segment what an excerpt shows; 0 if that is nothing.
func cut(b []byte, wanted map[uint64]bool, room int) (out []byte, n int, all bool) {
	var head []byte
	var spans []span
	var at span
	count := map[int]int{}
	var buf []byte
	segment.Scan(b, func(f segment.Frame) bool {
		p, err := f.Payload(buf)
		if err != nil {
			return false
		}
		switch f.Kind {
		case segment.Head:
			head = b[f.Off : f.Off+f.Size]
		case segment.Batch:
			at.batch = append(at.batch, p...)
			_ = segment.Records(p, func(rec []byte, _ [4]byte) bool { // what is damaged stays, and is found
				if wanted[entry.SeqOf(rec)] {
					at.wanted = true
					count[len(spans)]++
				}
				return true
			})
		case segment.Check:
			at.check = b[f.Off : f.Off+f.Size]
			spans, at = append(spans, at), span{}
		}
		return true
	})
	if len(at.batch) > 0 {
		spans = append(spans, at)
	}
	last := -1
	all = true
	for i := range spans {
		if spans[i].wanted {
			last = i
		}
	}
	if last < 0 || head == nil {
		return nil, 0, true
	}
	room -= len(head)
	for _, s := range spans[:last+1] {
		room -= len(s.check)
	}
	packed := make([][]byte, last+1)
	for i := last; i >= 0; i-- { // the youngest first
		if !spans[i].wanted {
			continue
		}
		p := segment.AppendFrame(nil, segment.Batch, spans[i].batch, true)
		if len(p) > room {
			all = false
			break
		}
		packed[i], room, n = p, room-len(p), n+count[i]
	}
	if n == 0 {
		return nil, 0, false
	}
	out = slices.Clone(head)
	for i, p := range packed {
		out = append(append(out, p...), spans[i].check...)
	}
	return out, n, all
}

// lead adds the heads of the eras before the first that is shown, if they are few, and gives
// the bytes that they take.
func lead(dir, stream string, files map[string][]byte, room int) (size int) {
	first := ""
	for name := range files {
		if strings.HasPrefix(name, stream+"/") && (first == "" || name < first) {
			first = name
		}
	}
	names, err := list(dir, []string{stream})
	at := slices.Index(names, first)
	if err != nil || first == "" || at < 1 || at > leadEras || at*(segment.FrameHead+seal.CertSize) > room {
		return 0
	}
	heads := map[string][]byte{}
	for i, name := range names[:at] {
		b := make([]byte, segment.FrameHead+seal.CertSize)
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return 0
		}
		_, err = io.ReadFull(f, b)
		f.Close()
		c, cerr := seal.ParseCert(b[segment.FrameHead:])
		if err != nil || cerr != nil || c.Era != uint32(i+1) {
			return 0 // what went before them is gone: they lead nowhere
		}
		heads[name] = b
		size += len(b)
	}
	for name, b := range heads {
		files[name] = b
	}
	return size
}
