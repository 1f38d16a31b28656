package delta

import "encoding/binary"

// longest finds where old has the longest start of what, by its suffix array.
func longest(sa []int32, old, what []byte) (pos, length int) {
	lo, hi := 0, len(sa)-1
	for hi-lo >= 2 {
		mid := lo + (hi-lo)/2
		at := int(sa[mid])
		n := common(old[at:], what)
		if n < len(what) && (at+n == len(old) || old[at+n] < what[n]) {
			lo = mid
		} else {
			hi = mid
		}
	}
	for i := lo; i <= hi; i++ {
		if n := common(old[sa[i]:], what); n > length || i == lo {
			pos, length = int(sa[i]), n
		}
	}
	return pos, length
}

func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// Make gives the patch that turns old into new. The same two give the same
// patch. It takes about 20 bytes of memory for each byte of old.
func Make(old, new []byte) []byte {
	m := maker{old: old, new: new}
	if len(old) == 0 {
		if len(new) > 0 {
			m.step(0, 0, len(new))
		}
		return m.out
	}
	sa := suffixArray(old, 255)
	var scan, length, pos, lastScan, lastPos, lastOffset int
	for scan < len(new) {
		score := 0 // bytes of the match that the last offset has too
		scan += length
		for seen := scan; scan < len(new); scan++ {
			pos, length = longest(sa, old, new[scan:])
			for ; seen < scan+length; seen++ {
				if m.same(seen+lastOffset, seen) {
					score++
				}
			}
			if length == score && length != 0 || length > score+8 {
				break
			}
			if m.same(scan+lastOffset, scan) {
				score--
			}
		}
		if length == score && scan < len(new) {
			continue // the last offset goes on
		}
		ahead, back := m.grow(lastScan, lastPos, scan, pos)
		m.step(lastPos, ahead, (scan-back)-(lastScan+ahead))
		lastScan, lastPos, lastOffset = scan-back, pos-back, pos-scan
	}
	return m.out
}

type maker struct {
	old, new []byte
	out      []byte
	done     int // bytes of new that the steps cover
	pos      int // in old
}

func (m *maker) same(o, n int) bool { return o >= 0 && o < len(m.old) && m.old[o] == m.new[n] }

// grow extends the last match forward and the found one backward into the gap
// between them, as long as more than half of the bytes fit, and parts what both
// claim where that fits best. BSDIFF §3.
func (m *maker) grow(lastScan, lastPos, scan, pos int) (ahead, back int) {
	hits, best := 0, 0
	for i := 1; lastScan+i <= scan && lastPos+i <= len(m.old); i++ {
		if m.old[lastPos+i-1] == m.new[lastScan+i-1] {
			hits++
		}
		if hits*2-i > best {
			best, ahead = hits*2-i, i
		}
	}
	if scan >= len(m.new) {
		return ahead, 0
	}
	hits, best = 0, 0
	for i := 1; scan-i >= lastScan && pos >= i; i++ {
		if m.old[pos-i] == m.new[scan-i] {
			hits++
		}
		if hits*2-i > best {
			best, back = hits*2-i, i
		}
	}
	over := (lastScan + ahead) - (scan - back)
	if over <= 0 {
		return ahead, back
	}
	hits, best = 0, 0
	cut := 0
	for i := range over {
		if m.new[lastScan+ahead-over+i] == m.old[lastPos+ahead-over+i] {
			hits++
		}
		if m.new[scan-back+i] == m.old[pos-back+i] {
			hits--
		}
		if hits > best {
			best, cut = hits, i+1
		}
	}
	return ahead + cut - over, back - cut
}

func (m *maker) step(from, add, extra int) {
	if add+extra == 0 {
		return
	}
	if add == 0 {
		from = m.pos
	}
	m.out = binary.AppendVarint(m.out, int64(from-m.pos))
	m.out = binary.AppendUvarint(m.out, uint64(add))
	m.out = binary.AppendUvarint(m.out, uint64(extra))
	for i := range add {
		m.out = append(m.out, m.new[m.done+i]-m.old[from+i])
	}
	m.out = append(m.out, m.new[m.done+add:m.done+add+extra]...)
	m.done += add + extra
	m.pos = from + add
}
