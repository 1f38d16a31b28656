package throttle

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// MaxCards is how many cards are tracked: a shop with 500 different cards a day
// fits sixteen days. THROTTLE §3.1.
const MaxCards = 8192

// none ends a list of slots.
const none = ^uint16(0)

// node is a card with its neighbours by age.
type node struct {
	card         Card
	older, newer uint16
}

// Table holds cards by key, open-addressed, with the least lately used at one
// end. Make one with NewTable.
type Table struct {
	nodes  []node
	index  []uint16 // slot of nodes plus one; 0 is free
	free   []uint16
	oldest uint16
	newest uint16
	most   int
}

// NewTable makes room for so many cards; 0 means MaxCards.
func NewTable(most int) *Table {
	if most <= 0 {
		most = MaxCards
	}
	size := 16
	for size < 2*most {
		size *= 2
	}
	return &Table{index: make([]uint16, size), oldest: none, newest: none, most: most}
}

// Len is how many cards are tracked.
func (t *Table) Len() int { return len(t.nodes) - len(t.free) }

// home is where the search for a key begins: the key is a hash already.
func (t *Table) home(k Key) int {
	return int(binary.LittleEndian.Uint32(k[:])) & (len(t.index) - 1)
}

func (t *Table) find(k Key) (at int, ok bool) {
	for at = t.home(k); t.index[at] != 0; at = (at + 1) & (len(t.index) - 1) {
		if t.nodes[t.index[at]-1].card.Key == k {
			return at, true
		}
	}
	return at, false
}

// Get is what is remembered of a card; a card never seen has its key only.
func (t *Table) Get(k Key) Card {
	if at, ok := t.find(k); ok {
		return t.nodes[t.index[at]-1].card
	}
	return Card{Key: k}
}

// Has tells whether a card is tracked.
func (t *Table) Has(k Key) bool {
	_, ok := t.find(k)
	return ok
}

// Guard tells what must not be forgotten: a card whose payment is open, one
// under a penalty, and one that lately paid much.
type Guard struct {
	Now Time
	P95 int64 // minor units: an amount that few sales of this merchant reach; 0 unknown
}

// keeps tells that a card may not be evicted.
func (g Guard) keeps(c *Card) bool {
	if c.Level(g.Now) > 0 || c.Cooling(g.Now) > 0 {
		return true
	}
	for i := range c.Len() {
		s := c.At(i)
		if s.Outcome == Unknown || g.P95 > 0 && s.Outcome == Approved && s.Amount >= g.P95 && g.Now-s.At < 24*time.Hour {
			return true
		}
	}
	return false
}

// Put tracks a card. If the table is full, the card that was least lately seen
// and is not guarded goes, and gone is its key; if all are guarded, ok is false
// and nothing changes.
func (t *Table) Put(c Card, g Guard) (gone Key, ok bool) {
	if at, found := t.find(c.Key); found {
		i := t.index[at] - 1
		t.nodes[i].card = c
		t.unlink(i)
		t.link(i)
		return gone, true
	}
	gone, full := t.room(g)
	if full {
		return Key{}, false
	}
	if !gone.IsZero() {
		t.Drop(gone)
	}
	var i uint16
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = uint16(len(t.nodes))
		if len(t.nodes) == cap(t.nodes) { // by steps: append would take a quarter too much
			t.nodes = append(make([]node, 0, min(t.most, cap(t.nodes)+512)), t.nodes...)
		}
		t.nodes = append(t.nodes, node{})
	}
	t.nodes[i].card = c
	t.link(i)
	at, _ := t.find(c.Key)
	t.index[at] = i + 1
	return gone, true
}

// room is which card must go before a new one fits, zero if there is room; full
// if all are guarded.
func (t *Table) room(g Guard) (gone Key, full bool) {
	if t.Len() < t.most {
		return gone, false
	}
	i := t.oldest
	for i != none && g.keeps(&t.nodes[i].card) {
		i = t.nodes[i].newer
	}
	if i == none {
		return gone, true
	}
	return t.nodes[i].card.Key, false
}

// sortByAge puts the least lately seen first.
func sortByAge(cards []Card) {
	slices.SortStableFunc(cards, func(a, b Card) int { return cmp.Compare(a.last(), b.last()) })
}

// last is when the card was last seen.
func (c *Card) last() Time {
	s, _ := c.Newest()
	return s.At
}

// Drop forgets a card.
func (t *Table) Drop(k Key) {
	at, ok := t.find(k)
	if !ok {
		return
	}
	i := t.index[at] - 1
	t.unlink(i)
	t.nodes[i].card = Card{}
	t.free = append(t.free, i)
	// Close the gap: what was pushed past it moves up.
	mask := len(t.index) - 1
	for next := (at + 1) & mask; ; next = (next + 1) & mask {
		if t.index[next] == 0 {
			break
		}
		home := t.home(t.nodes[t.index[next]-1].card.Key)
		if (next-home)&mask >= (next-at)&mask {
			t.index[at] = t.index[next]
			at = next
		}
	}
	t.index[at] = 0
}

func (t *Table) link(i uint16) {
	t.nodes[i].older, t.nodes[i].newer = t.newest, none
	if t.newest != none {
		t.nodes[t.newest].newer = i
	}
	t.newest = i
	if t.oldest == none {
		t.oldest = i
	}
}

func (t *Table) unlink(i uint16) {
	n := &t.nodes[i]
	if n.older != none {
		t.nodes[n.older].newer = n.newer
	} else {
		t.oldest = n.newer
	}
	if n.newer != none {
		t.nodes[n.newer].older = n.older
	} else {
		t.newest = n.older
	}
}

// Each calls f for every card, the least lately seen first.
func (t *Table) Each(f func(Card)) {
	for i := t.oldest; i != none; i = t.nodes[i].newer {
		f(t.nodes[i].card)
	}
}
