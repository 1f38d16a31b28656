package care

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Seal is one entry of the chain: what must be provable later, and the seal of
// the entry before it. THROTTLE §1 S9.
type Seal struct {
	N    int    `json:"n"`
	At   int64  `json:"at"`   // Unix seconds
	What string `json:"what"` // a key of texts: "seal.rules"
	Text string `json:"text"` // facts in words, never a card's number
	By   uint8  `json:"by,omitempty"`
	Prev string `json:"prev"`
	Mac  string `json:"mac"`
}

// Mac is a keyed hash that nobody outside the device can make.
type Mac func([]byte) ([32]byte, error)

func (s Seal) sum(mac Mac) (string, error) {
	s.Mac = ""
	b, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	m, err := mac(append([]byte("v1|seal|"), b...))
	return hex.EncodeToString(m[:]), err
}

// Chain is the youngest end of the chain.
type Chain struct {
	last Seal
	list []Seal // what is kept
}

// MostSeals is how many entries are kept; the chain goes on behind those that
// have been dropped.
const MostSeals = 2000

// Load takes entries in order and checks them: each follows the one before it,
// and its seal fits. The error names the first that does not; the chain goes on
// from the youngest all the same, and the break stays visible.
func (c *Chain) Load(list []Seal, mac Mac) error {
	c.list = list
	if n := len(list); n > 0 {
		c.last = list[n-1]
	}
	return Verify(list, mac)
}

// Verify checks entries in order. Only a full chain may begin behind its first
// entry: a shorter one has lost its beginning.
func Verify(list []Seal, mac Mac) error {
	if len(list) > 0 && len(list) < MostSeals && list[0].N != 1 {
		return fmt.Errorf("care: what was before entry %d is missing", list[0].N)
	}
	for i, s := range list {
		sum, err := s.sum(mac)
		if err != nil {
			return err
		}
		if sum != s.Mac {
			return fmt.Errorf("care: entry %d was changed", s.N)
		}
		if i > 0 && (list[i-1].Mac != s.Prev || list[i-1].N+1 != s.N) {
			return fmt.Errorf("care: entry %d does not follow entry %d", s.N, list[i-1].N)
		}
	}
	return nil
}

// Add makes the next entry; drop is the number of one that goes for it, 0 none.
func (c *Chain) Add(what, text string, by uint8, wall int64, mac Mac) (s Seal, drop int, err error) {
	s = Seal{N: c.last.N + 1, At: wall, What: what, Text: text, By: by, Prev: c.last.Mac}
	if s.Mac, err = s.sum(mac); err != nil {
		return s, 0, err
	}
	c.last = s
	if c.list = append(c.list, s); len(c.list) > MostSeals {
		drop = c.list[0].N
		c.list = c.list[1:]
	}
	return s, drop, nil
}

// All is what is kept, the oldest first.
func (c *Chain) All() []Seal { return append([]Seal(nil), c.list...) }

// Page is the chain, the youngest first.
func (c *Chain) Page(mac Mac) (page []Line) {
	if err := Verify(c.list, mac); err != nil {
		page = append(page, say("seal.broken", err.Error()))
	} else {
		page = append(page, say("seal.whole", num(len(c.list))))
	}
	for i := len(c.list) - 1; i >= 0 && i >= len(c.list)-30; i-- {
		s := c.list[i]
		page = append(page, say("seal.row", num(s.N), date(s.At), "@"+s.What), say("seal.text", s.Text, s.Mac[:8]))
	}
	return page
}
