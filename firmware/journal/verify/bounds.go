package verify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/segment"
	"swipewell/firmware/journal/shelf"
)

// A removal is believed if the bounds at its time ask for it. What there was to count is in
// the certificates: signed by keys that were gone when a thief came.

// slack is what a segment may have grown by when it was packed after its successor had begun.
const slack = 1 << 10

// torn is how much of a live segment may be no entry any more.
const torn = 256 << 10

// late is how far the clock of a removal may be ahead of the entries around it.
const late = int64(time.Hour / time.Millisecond)

// bounds judges the removals, in their order.
func (c *checker) bounds() {
	alive := map[uint32]bool{}
	for era := range c.certs {
		alive[era] = true
	}
	rs := slices.Clone(c.src.Removals)
	slices.SortStableFunc(rs, func(a, b seal.Removal) int { return int(int64(a.By) - int64(b.By)) })
	trail := int64(0)
	if len(rs) >= shelf.MostRemovals/2 { // the file may have been longer
		trail = shelf.MostRemovals * shelf.RemovalBytes
	}
	for _, r := range rs {
		by, ok := c.certs[r.By]
		if !ok {
			by = r.Cert // its bounds were taken away too: those of then are the next best
		}
		room, widest := int64(by.Room), int64(by.Room)
		hours, longest := by.Hours, by.Hours
		var sum int64
		for era := range maps.Keys(alive) {
			if x := c.certs[era]; era <= r.By {
				sum += c.sizeOf(era) + slack
				widest, longest = max(widest, int64(x.Room)), max(longest, x.Hours)
			}
		}
		aged := func(h uint32) bool {
			next, ok := c.certs[r.Cert.Era+1]
			return !ok || h > 0 && r.At-next.At > int64(h)*3600e3
		}
		say := func(k Kind, note bool, format string, args ...any) {
			f := Finding{k, r.Cert.Seq + 1, r.Last, r.Cert.Era, fmt.Sprintf("era %d, entries %d to %d, was taken away ", r.Cert.Era, r.Cert.Seq+1, r.Last) + fmt.Sprintf(format, args...)}
			if note {
				c.Notes = append(c.Notes, f)
			} else {
				c.Findings = append(c.Findings, f)
			}
		}
		at := time.UnixMilli(r.At).UTC().Format("2006-01-02 15:04")
		switch {
		case r.Why == seal.Full:
			say(Early, true, "on %s, for the reason that the disk was full: nothing but the device's word says so", at)
		case r.Why == seal.Sized && sum <= room-trail:
			say(Early, false, "for want of room, and there was enough: %d of %d bytes", sum, room)
		case r.Why == seal.Sized && sum <= widest-trail, r.Why == seal.Aged && aged(hours) && !aged(longest):
			say(Early, true, "under bounds that era %d lowered", r.By)
		case r.Why == seal.Aged && !aged(hours):
			say(Early, false, "for its age on %s, and was not %d days old", at, hours/24)
		case r.Why == seal.Aged && c.walls[r.By] > 0 && r.At > c.wallFrom(r.By)+late:
			say(Early, false, "for its age on %s, a time that the journal has not reached", at)
		case r.Why != seal.Sized && r.Why != seal.Aged:
			say(Early, false, "for no reason that is known")
		}
		delete(alive, r.Cert.Era)
		trail += shelf.RemovalBytes
	}
}

// sizeOf is what an era's segment took when the next one began; 0: it is under way, or that is not known.
func (c *checker) sizeOf(era uint32) int64 {
	x, ok := c.certs[era]
	next, known := c.certs[era+1]
	if !ok || !known || next.Before < x.Before {
		return 0
	}
	most := max(int64(x.Room)/4, 1<<20) // a segment is an eighth of all
	if raw, here := c.raws[era]; here {
		most = raw + torn
	}
	return int64(min(next.Before-x.Before, uint64(most)))
}

// wallFrom is the latest time that entries of an era, or of one behind it, show.
func (c *checker) wallFrom(era uint32) (wall int64) {
	for e, w := range c.walls {
		if e >= era {
			wall = max(wall, w)
		}
	}
	return wall
}

// measured takes a frame of an era into account.
func (c *checker) measured(era uint32, f segment.Frame, payload int) {
	c.raws[era] += f.Size - int64(f.Stored()) + int64(max(payload, f.Stored()))
}
