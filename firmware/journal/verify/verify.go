// Package verify checks that a journal is as it was written: the chain of its
// entries, the signatures over it, and that nothing is missing that must be there.
//
// Sources:
//   - ADR33: doc/adr/0033-journal-seal.md
package verify

import (
	"fmt"
	"slices"

	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/journal/shelf"
)

// Kind of a finding.
type Kind string

const (
	Changed Kind = "changed"  // an entry, or one before it, is not what was chained
	Broken  Kind = "broken"   // a signature does not fit
	Missing Kind = "missing"  // entries, checkpoints or a segment are gone
	Cut     Kind = "cut"      // the end is gone
	Damaged Kind = "damaged"  // bytes that are no frame
	Foreign Kind = "foreign"  // what does not belong there
	Order   Kind = "order"    // numbers that do not rise
	Early   Kind = "early"    // taken away without need, or on nothing but the device's word
	Torn    Kind = "torn-end" // a write that a power cut tore: no fault of anybody
	Left    Kind = "left-out" // of an excerpt: what it does not show
	Alone   Kind = "unrooted" // of an excerpt: nothing in it leads from the root to its first era
)

// Finding is one thing that is wrong. Seq is the first entry that may be.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Seq   uint64 `json:"seq"`
	Until uint64 `json:"until,omitempty"` // the last that may be; 0: only Seq is known
	Era   uint32 `json:"era"`
	Text  string `json:"text"`
}

// Report is what a check of one stream found.
type Report struct {
	Entries  int         `json:"entries"`
	First    uint64      `json:"first"`
	Last     uint64      `json:"last"`
	Eras     int         `json:"eras"`
	Removed  int         `json:"removed"`    // segments that retention took, signed
	Proven   uint64      `json:"proven"`     // the last entry that a signature covers
	Root     seal.Public `json:"-"`          // the key that all was checked against
	Rooted   bool        `json:"rooted"`     // it was given from outside, not read from the journal
	Anchored bool        `json:"anchored"`   // an anchor from outside fits
	Findings []Finding   `json:"findings"`   // empty: nothing is wrong
	Notes    []Finding   `json:"notes"`      // what a power cut leaves
	Newer    bool        `json:"newer_form"` // a newer version wrote parts of it
}

// Whole tells that nothing is wrong.
func (r Report) Whole() bool { return len(r.Findings) == 0 }

// FirstBad is the first entry that may be wrong; 0: none.
func (r Report) FirstBad() (seq uint64) {
	for _, f := range r.Findings {
		if seq == 0 || f.Seq < seq {
			seq = f.Seq
		}
	}
	return seq
}

// File is one segment's bytes.
type File struct {
	Name  string
	Bytes func() ([]byte, error)
}

// Source is a stream to be checked.
type Source struct {
	Files    []File
	Removals []seal.Removal
	Claimed  seal.Public // the root as the journal itself claims it
	Root     seal.Public // the root as known from outside; zero: not known
	Anchors  []shelf.Anchor
	// Key is where the device's own key stands; zero: not known.
	KeyEra, KeyN uint32
	// Excerpt: whole spans between two checkpoints may be left out, and eras. What is shown
	// is proven all the same; that nothing else was written is not.
	Excerpt bool
}

type piece struct {
	name string
	cert seal.Cert
	get  func() ([]byte, error)
}

type checker struct {
	Report
	src  Source
	prev struct { // what the era before left
		era   uint32
		last  uint64
		chain seal.Hash
		next  seal.Public
		sure  bool
		key   seal.Public
	}
	eras   map[uint32]seal.Public
	checks map[[2]uint32]seal.Checkpoint
	certs  map[uint32]seal.Cert
	raws   map[uint32]int64 // bytes of the segments that are here, unpacked
	walls  map[uint32]int64 // the latest time of their entries
}

// leftOut notes what an excerpt does not show; what adjoins is one note.
func (c *checker) leftOut(seq, until uint64, era uint32) {
	if n := len(c.Notes); n > 0 && c.Notes[n-1].Kind == Left && c.Notes[n-1].Until+1 >= seq {
		c.Notes[n-1].Until, c.Notes[n-1].Era = max(c.Notes[n-1].Until, until), era
	} else {
		c.Notes = append(c.Notes, Finding{Kind: Left, Seq: seq, Until: until, Era: era})
	}
	f := &c.Notes[len(c.Notes)-1]
	f.Text = fmt.Sprintf("entries %d to %d are not in this excerpt", f.Seq, f.Until)
}

func (c *checker) find(k Kind, seq, until uint64, era uint32, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{k, seq, until, era, fmt.Sprintf(format, args...)})
}

// Run checks a stream.
func Run(src Source) (Report, error) {
	c := &checker{src: src, eras: map[uint32]seal.Public{}, checks: map[[2]uint32]seal.Checkpoint{}, certs: map[uint32]seal.Cert{}, raws: map[uint32]int64{}, walls: map[uint32]int64{}}
	var ps []piece
	for _, f := range src.Files {
		b, err := f.Bytes()
		if err != nil {
			return c.Report, err
		}
		var cert seal.Cert
		n := 0
		segment.Scan(b, func(fr segment.Frame) bool {
			n++
			if p, err := fr.Payload(nil); err == nil && fr.Kind == segment.Head {
				cert, _ = seal.ParseCert(p)
			}
			return n < 2 && cert.Era == 0
		})
		if cert.Era == 0 {
			m := segment.Walk(f.Name, b, nil)
			if n > 0 || len(b) > 0 {
				c.find(Damaged, m.First, m.Last, 0, "%s has no head: nothing in it can be checked", f.Name)
			}
			continue
		}
		ps = append(ps, piece{f.Name, cert, f.Bytes})
	}
	slices.SortStableFunc(ps, func(a, b piece) int { return int(int64(a.cert.Era) - int64(b.cert.Era)) })
	gone := map[uint32]seal.Removal{}
	for _, r := range src.Removals {
		gone[r.Cert.Era] = r
	}
	first, end := uint32(0), uint32(0)
	for _, p := range ps {
		if first == 0 {
			first = p.cert.Era
		}
		end = max(end, p.cert.Era)
	}
	for era := range gone {
		first, end = min(max(first, 1), era), max(end, era)
	}
	c.begin(first)
	at := 0
	for era := max(first, 1); era <= end; era++ {
		have := false
		for ; at < len(ps) && ps[at].cert.Era == era; at++ {
			if have {
				c.find(Foreign, ps[at].cert.Seq+1, 0, era, "%s is a second segment of its era", ps[at].name)
				continue
			}
			have = true
			if err := c.segment(ps[at]); err != nil {
				return c.Report, err
			}
		}
		if r, ok := gone[era]; ok && !have {
			c.removed(r)
		} else if !have && src.Excerpt {
			c.prev.sure, c.prev.key = false, seal.Public{} // the entries are noted where the next era begins
		} else if !have {
			c.find(Missing, c.prev.last+1, 0, era, "the segment of era %d is gone", era)
			c.prev.sure = false
			c.prev.key = seal.Public{}
		}
	}
	for _, r := range src.Removals {
		if k, ok := c.eras[r.By]; !ok || !r.Signed(k) {
			c.find(Broken, r.Cert.Seq+1, r.Last, r.Cert.Era, "the removal of era %d is not signed by the device", r.Cert.Era)
		}
	}
	c.bounds()
	c.ends(end)
	return c.Report, nil
}

// begin chooses the root.
func (c *checker) begin(first uint32) {
	c.Root = c.src.Claimed
	if c.src.Root != (seal.Public{}) {
		c.Root, c.Rooted = c.src.Root, true
		if c.src.Claimed != c.src.Root {
			c.find(Broken, 1, 0, 1, "the journal claims another root key than the one that is known")
		}
	}
	if first == 1 || len(c.src.Removals) == 0 {
		c.prev.key = c.Root
	}
	if first > 1 && c.src.Excerpt { // nothing here leads from the root to it
		c.Rooted, c.prev.key, c.prev.sure = false, seal.Public{}, false
		c.Notes = append(c.Notes, Finding{Alone, 1, 0, first, fmt.Sprintf("the excerpt begins with era %d, which signs for itself: that the device began it, the whole export proves", first)})
		return
	}
	if first > 1 && len(c.src.Removals) == 0 {
		c.find(Missing, 1, 0, first, "what was before era %d is gone, and nothing says that it was removed", first)
		c.prev.key = seal.Public{}
	}
	c.prev.sure = first == 1
}

// certified checks an era's certificate against the era before.
func (c *checker) certified(cert seal.Cert) {
	if c.prev.key != (seal.Public{}) && !cert.Signed(c.prev.key) {
		c.find(Broken, cert.Seq+1, 0, cert.Era, "era %d is not signed by the era before it", cert.Era)
	}
	c.eras[cert.Era], c.certs[cert.Era], c.prev.key = cert.Key, cert, cert.Key
	c.Eras++
}

func (c *checker) removed(r seal.Removal) {
	c.certified(r.Cert)
	c.Removed++
	c.prev.last, c.prev.sure = r.Last, false
	c.prev.era = r.Cert.Era
}

// ends checks the end against what is known from outside.
func (c *checker) ends(end uint32) {
	k, n := c.src.KeyEra, c.src.KeyN
	if k > 0 && (k > end || k == end && n > c.checksOf(end)) {
		c.find(Cut, c.Last+1, 0, end, "the device's key has signed more than is there: the end was cut off")
	}
	for _, a := range c.src.Anchors {
		if a.Era == 0 {
			continue
		}
		p, ok := c.checks[[2]uint32{a.Era, a.N}]
		switch {
		case a.Root != c.Root:
			c.find(Broken, 1, 0, 1, "an anchor is of another root key")
		case ok && (p.Hash != a.Hash || p.Seq != a.Seq):
			c.find(Changed, 1, a.Seq, a.Era, "the checkpoint at entry %d is not the one that was anchored", a.Seq)
		case ok:
			c.Anchored = true
		case c.eras[a.Era] == (seal.Public{}) && a.Era <= end || c.isRemoved(a.Era), c.src.Excerpt:
		default:
			c.find(Cut, min(c.Last+1, a.Seq), a.Seq, a.Era, "the checkpoint at entry %d was anchored and is gone: the end was cut off", a.Seq)
		}
	}
}

func (c *checker) isRemoved(era uint32) bool {
	for _, r := range c.src.Removals {
		if r.Cert.Era == era {
			return true
		}
	}
	return false
}

func (c *checker) checksOf(era uint32) (n uint32) {
	for {
		if _, ok := c.checks[[2]uint32{era, n}]; !ok {
			return n
		}
		n++
	}
}

// segment checks one segment.
func (c *checker) segment(p piece) error {
	b, err := p.get()
	if err != nil {
		return err
	}
	cert := p.cert
	if c.prev.sure && c.prev.era > 0 {
		switch {
		case cert.Seq != c.prev.last:
			c.find(Missing, min(cert.Seq, c.prev.last)+1, max(cert.Seq, c.prev.last), cert.Era, "era %d begins after entry %d, and the era before it ends with %d", cert.Era, cert.Seq, c.prev.last)
		case cert.Prev != c.prev.chain:
			c.find(Changed, c.Proven+1, c.prev.last, cert.Era, "era %d begins with another chain than the era before it ends with", cert.Era)
		case !cert.Follows(c.prev.next):
			c.find(Cut, c.prev.last+1, 0, cert.Era, "checkpoints before era %d are gone: the end of the era before it was cut off", cert.Era)
		}
	}
	c.certified(cert)
	if c.src.Excerpt && cert.Seq > c.prev.last {
		c.leftOut(c.prev.last+1, cert.Seq, cert.Era)
	}
	w := walk{c: c, era: cert.Era, chain: cert.Prev, next: cert.Epoch, sure: true, prev: cert.Seq, good: cert.Seq}
	ds := segment.Scan(b, w.frame)
	for _, d := range ds {
		if d.Tail && !w.tail {
			c.Notes = append(c.Notes, Finding{Torn, w.prev + 1, 0, cert.Era, fmt.Sprintf("%s: %s", p.name, d)})
			continue
		}
		c.find(Damaged, w.gapAfter(d.From)+1, 0, cert.Era, "%s: %s are no part of a journal", p.name, d)
	}
	c.prev.era, c.prev.last, c.prev.chain, c.prev.next, c.prev.sure = cert.Era, w.prev, w.chain, w.next, w.sure && !c.src.Excerpt
	return nil
}
