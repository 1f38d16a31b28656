package acquirer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"swipewell/firmware/pos"
)

// Kinds of entries, in the words of the script language.
const (
	KindSale           = "sale"
	KindVoid           = "void"
	KindRefund         = "refund"
	KindPreauth        = "preauth"
	KindTopUp          = "topup"
	KindPreauthVoid    = "preauth-void"
	KindComplete       = "complete"
	KindCompleteVoid   = "complete-void"
	KindCompleteAdvice = "complete-advice"
	KindBalance        = "balance"
	KindOffline        = "offline"
	KindTip            = "tip"
	KindAdjust         = "adjust"
	KindReversal       = "reversal"
)

// Entry is one line of the books: a request that was authentic and well made,
// and what became of it. Booked tells whether it moved money or a hold.
// Entries are never changed; ReversedBy and VoidedBy are looked up.
type Entry struct {
	Seq        int              `json:"seq"` // from 1
	Kind       string           `json:"kind"`
	MTI        string           `json:"mti"`
	TID        pos.TerminalID   `json:"tid"`
	Batch      pos.BatchNo      `json:"batch"`
	STAN       pos.STAN         `json:"stan"`
	Card       string           `json:"card,omitempty"` // its name in the tray
	PAN        pos.MaskedPAN    `json:"pan"`
	Amount     int64            `json:"amount"`         // what was booked, fen
	Asked      int64            `json:"asked"`          // DE 4; differs on a partial approval
	Net        int64            `json:"net"`            // change of the net capture, fen
	Hold       int64            `json:"hold,omitempty"` // change of what is held, fen
	RC         pos.ResponseCode `json:"rc"`
	RRN        pos.RRN          `json:"rrn"`
	Auth       pos.AuthCode     `json:"auth,omitempty"`
	At         time.Time        `json:"at"`
	Booked     bool             `json:"booked"`
	Orig       int              `json:"orig,omitempty"` // seq of what this reverses, voids, refunds, completes
	ReversedBy int              `json:"reversed_by,omitempty"`
	VoidedBy   int              `json:"voided_by,omitempty"`

	// What a reversal of this must repeat.
	Process   string `json:"process"`
	Mode      string `json:"mode"`
	Condition string `json:"condition"`
	Type60    string `json:"type60"`

	pan string // in clear, for matching; never printed nor written
}

// IsPAN tells whether the entry is of this card number. Of an entry read from
// a file whose card is not in the tray, only the masked number is known.
func (e Entry) IsPAN(pan string) bool {
	return e.pan == pan || e.pan == "" && e.PAN == mask(pan)
}

// String is the line as people read it.
func (e Entry) String() string {
	s := fmt.Sprintf("%d %s %s %s/%s %s %s", e.Seq, e.Kind, e.TID, e.Batch, e.STAN, e.PAN, pos.Fen(e.Asked))
	if e.Booked {
		s += fmt.Sprintf(" booked %s", pos.Fen(e.Net))
	}
	if e.Orig != 0 {
		s += fmt.Sprintf(" of %d", e.Orig)
	}
	return s + " " + string(e.RC)
}

// Format prints String for every verb: no way of printing shows the number.
func (e Entry) Format(f fmt.State, _ rune) { io.WriteString(f, e.String()) }

// key is what makes a request unique: terminal, batch, STAN. HOST §3.5.
type key struct {
	tid   pos.TerminalID
	batch pos.BatchNo
	stan  pos.STAN
}

func (e Entry) key() key { return key{e.TID, e.Batch, e.STAN} }

// books is the ledger of the host.
type books struct {
	entries  []Entry
	byKey    map[key]int // seq of the request with this key
	reversed map[int]int // seq → seq of its reversal
	voided   map[int]int // seq → seq of its void, if that stands
	refunded map[int]int64
	tips     map[int]int64 // seq → tips and adjustments of it
	adjusted map[int]int64 // seq → adjustments of it alone
	file     *os.File
}

func newBooks() *books {
	return &books{byKey: map[key]int{}, reversed: map[int]int{}, voided: map[int]int{}, refunded: map[int]int64{}, tips: map[int]int64{}, adjusted: map[int]int64{}}
}

// index learns an entry.
func (b *books) index(e Entry) {
	b.entries = append(b.entries, e)
	if e.Kind != KindReversal {
		b.byKey[e.key()] = e.Seq
	}
	if !e.Booked {
		return
	}
	switch e.Kind {
	case KindReversal:
		b.reversed[e.Orig] = e.Seq
		// A reversed void or refund gives its original back.
		switch o := b.entries[e.Orig-1]; o.Kind {
		case KindVoid, KindPreauthVoid, KindCompleteVoid, KindComplete, KindCompleteAdvice:
			delete(b.voided, o.Orig)
		case KindRefund:
			b.refunded[o.Orig] -= o.Amount
		}
	case KindVoid, KindPreauthVoid, KindCompleteVoid, KindComplete, KindCompleteAdvice:
		b.voided[e.Orig] = e.Seq // a completion uses its pre-authorisation up
	case KindRefund:
		b.refunded[e.Orig] += e.Amount
	case KindTip, KindAdjust:
		b.tips[e.Orig] += e.Net
		if e.Kind == KindAdjust {
			b.adjusted[e.Orig] += e.Net
		}
	}
}

// add appends an entry, durably if there is a file.
func (b *books) add(e Entry) (Entry, error) {
	e.Seq = len(b.entries) + 1
	b.index(e)
	if b.file == nil {
		return e, nil
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = b.file.Write(append(line, '\n'))
	}
	if err != nil {
		return e, fmt.Errorf("acquirer: books: %w", err)
	}
	return e, nil
}

// find is the entry of a request by its key.
func (b *books) find(k key) (Entry, bool) {
	seq, ok := b.byKey[k]
	if !ok {
		return Entry{}, false
	}
	return b.entries[seq-1], true
}

// findBy is the youngest standing entry of a card with this RRN, or with this
// authorisation code and date (MMDD): a slip has no more.
func (b *books) findBy(pan, rrn, auth, date string) (Entry, bool) {
	for i := len(b.entries) - 1; i >= 0; i-- {
		e := b.entries[i]
		if !e.Booked || !e.IsPAN(pan) || b.reversed[e.Seq] != 0 || e.Kind == KindReversal {
			continue
		}
		if rrn != "" && string(e.RRN) == rrn || rrn == "" && auth != "" && string(e.Auth) == auth && (date == "" || e.At.In(pos.CST).Format("0102") == date) {
			return e, true
		}
	}
	return Entry{}, false
}

func (b *books) view() []Entry {
	out := append([]Entry(nil), b.entries...)
	for i := range out {
		out[i].ReversedBy, out[i].VoidedBy = b.reversed[out[i].Seq], b.voided[out[i].Seq]
	}
	return out
}

// open reads the books of an earlier run from a file of JSON lines and goes on
// writing behind them. A last line that a crash cut short is dropped.
func (b *books) open(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("acquirer: books: %w", err)
	}
	end, err := b.read(f)
	if err == nil {
		if err = f.Truncate(end); err == nil {
			_, err = f.Seek(end, io.SeekStart)
		}
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("acquirer: books %s: %w", path, err)
	}
	b.file = f
	return nil
}

func (b *books) read(f io.Reader) (end int64, err error) {
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return end, fmt.Errorf("line %d: %w", len(b.entries)+1, err)
		}
		if e.Seq != len(b.entries)+1 || e.Orig < 0 || e.Orig >= e.Seq {
			return end, fmt.Errorf("line %d: entry %d out of order", len(b.entries)+1, e.Seq)
		}
		b.index(e)
		end += int64(len(line))
	}
}

func (b *books) close() error {
	if b.file == nil {
		return nil
	}
	err := b.file.Close()
	b.file = nil
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("acquirer: books: %w", err)
	}
	return nil
}

// Books is a copy of the ledger, oldest first.
func (h *Host) Books() []Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.books.view()
}

// NetCapture sums what the books charged for the entries that match chooses
// (nil: all): sales + completions + tips − reversals − voids − refunds. A
// pre-authorisation counts nothing. To sum an order, choose its payments; what
// refers to them is summed with them.
func (h *Host) NetCapture(match func(Entry) bool) pos.Amount {
	return pos.Fen(NetCapture(h.Books(), match))
}

// NetCapture is Host.NetCapture over a copy of the books, in fen.
func NetCapture(entries []Entry, match func(Entry) bool) int64 {
	var sum int64
	in := make([]bool, len(entries)+1)
	for _, e := range entries {
		if match == nil || match(e) || in[e.Orig] {
			in[e.Seq] = true
			sum += e.Net
		}
	}
	return sum
}
