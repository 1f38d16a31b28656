package acquirer

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/firmware/pos"
	"swipewell/hal"
)

// Opts of New. Only Clock is needed.
type Opts struct {
	Clock     hal.Clock
	Listener  net.Listener  // nil: a loopback port of the system's choice
	Name      string        // "host NAME …" is for this one
	Terminals []Terminal    // nil: the bench's
	Rand      io.Reader     // session keys and faults; nil: always the same sequence
	MAC       string        // "ecb" (default), "x9.9", "x9.19", "3des-cbc"
	DoubleMAK bool          // sign-on 003 and 004: a MAK of 16 bytes, not 8 and zeros
	NotFound  string        // DE 39 of a reversal without original: "25" (default) or "12"
	Batch     pos.BatchNo   // that a first sign-on is told; 0: 1, or that of the books
	LostClose time.Duration // a connection whose answer was withheld is closed then; 0: two minutes
	// SaveUploads is a folder for the logs that terminals send, a file each once it is whole; "": in memory.
	SaveUploads string
	BooksFile   string      // JSON lines; "": in memory
	Cards       [][]string  // more test cards, before the books are read: name and fields of DefineCard
	Observe     func(Event) // called in order, from one goroutine at a time; it may read the Host, not command it
}

// Host is a running acquirer. It is safe for use by many goroutines.
type Host struct {
	o     Opts
	rand  io.Reader
	dice  *rand.Rand // faults: which byte
	stir  atomic.Uint64
	tell  sync.Mutex // held while the observer is told
	conns sync.WaitGroup

	mu          sync.Mutex
	ln          net.Listener // nil: down
	network     string
	addr        string
	open        map[*conn]bool
	closed      bool
	terminals   map[pos.TerminalID]*terminal
	accounts    map[string]*account // by PAN
	names       map[string]*account
	tray        []string // names in order
	books       *books
	manners     orders // how to answer
	decisions   orders // decline, approve
	headerOrder byte
	text        string
	seen        map[string]int
	findings    []Finding
	events      []Event
	checks      checks
	spoils      spoils
	chips       chips
	issuer      issuing
	tables      tables
	uploads     []*logUpload
	params      map[string]string // parameter download: code → value
	settle      byte              // the code of the next 0510; 0: what the books say
	settleLeft  int
	swapTotals  bool
	refs        int // DE 37
	auths       int // DE 38
}

// New starts a host; it listens when New returns.
func New(o Opts) (*Host, error) {
	if o.Clock == nil {
		return nil, errors.New("acquirer: a clock is needed")
	}
	if o.MAC == "" {
		o.MAC = macECB
	}
	if !slices.Contains([]string{macECB, macX99, macX919, macCBC}, o.MAC) {
		return nil, fmt.Errorf("acquirer: no MAC algorithm %q", o.MAC)
	}
	if o.NotFound == "" {
		o.NotFound = "25"
	}
	if o.LostClose <= 0 {
		o.LostClose = 2 * time.Minute
	}
	if o.Terminals == nil {
		o.Terminals = []Terminal{{TID: BenchTID, MID: BenchMID, TMK: BenchTMK}}
	}
	h := &Host{o: o, rand: o.Rand, open: map[*conn]bool{}, terminals: map[pos.TerminalID]*terminal{}, accounts: map[string]*account{},
		names: map[string]*account{}, books: newBooks(), chips: newChips(), seen: map[string]int{}}
	if h.rand == nil {
		h.rand = rand.NewChaCha8([32]byte([]byte("swipewell's bench: the same keys")))
	}
	h.dice = rand.New(rand.NewPCG(8583, 0))
	cards, err := defaultTray()
	if err != nil {
		return nil, err
	}
	if h.tables, err = defaultTables(); err != nil {
		return nil, err
	}
	for _, c := range cards {
		h.keep(c)
	}
	for _, words := range o.Cards {
		if len(words) == 0 {
			continue
		}
		if err := h.DefineCard(words[0], words[1:]...); err != nil {
			return nil, err
		}
	}
	if err := h.load(); err != nil {
		return nil, err
	}
	if o.Listener == nil {
		if o.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			h.books.close()
			return nil, fmt.Errorf("acquirer: %w", err)
		}
	}
	h.network, h.addr = o.Listener.Addr().Network(), o.Listener.Addr().String()
	h.listen(o.Listener)
	return h, nil
}

// load takes up the books of an earlier run: what accounts have left, which
// batch is open.
func (h *Host) load() error {
	if h.o.BooksFile != "" {
		if err := h.books.open(h.o.BooksFile); err != nil {
			return err
		}
	}
	batch := map[pos.TerminalID]pos.BatchNo{}
	for i := range h.books.entries {
		e := &h.books.entries[i]
		batch[e.TID] = max(batch[e.TID], e.Batch)
		a := h.names[e.Card]
		if a == nil || mask(a.PAN) != e.PAN {
			continue
		}
		e.pan = a.PAN
		switch {
		case e.Booked && e.Kind == KindReversal:
			a.undo(h.books.entries[e.Orig-1], e.At)
		case e.Booked:
			a.apply(e.Net, e.Hold, e.Kind == KindSale, e.At)
		}
	}
	h.auths = len(h.books.entries)
	if n := len(h.books.entries); n > 0 {
		rrn := string(h.books.entries[n-1].RRN)
		h.refs = int(number(rrn[max(0, len(rrn)-6):]))
	}
	for _, row := range h.o.Terminals {
		t, err := newTerminal(row, max(h.o.Batch, batch[row.TID], 1))
		if err != nil {
			h.books.close()
			return err
		}
		h.terminals[row.TID] = t
	}
	return nil
}

func (h *Host) wall() time.Time { return h.o.Clock.Now().Wall }

// Addr is host:port; it stays the same over Down and Up.
func (h *Host) Addr() string { return h.addr }

// Stir counts what happened, for a bench that waits until nothing does.
func (h *Host) Stir() uint64 { return h.stir.Load() }

// Seen counts the requests with this MTI since Mark, whatever became of them.
func (h *Host) Seen(mti string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for m, k := range h.seen {
		if matches(strings.ToLower(mti), m) {
			n += k
		}
	}
	return n
}

// Mark sets what Seen counts to nothing.
func (h *Host) Mark() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.seen)
}

// keep puts a card into the tray; the caller holds mu or is New.
func (h *Host) keep(c Card) {
	a := h.names[c.Name]
	if a == nil {
		a = &account{}
		h.names[c.Name] = a
		h.tray = append(h.tray, c.Name)
	} else if h.accounts[a.PAN] == a {
		delete(h.accounts, a.PAN)
	}
	if c.PIN != a.PIN || c.Status != a.Status {
		a.tries = 0
	}
	a.Card = c
	h.accounts[c.PAN] = a
}

// DefineCard makes or changes a test card: fields are "field=value", see
// [Usage] and the script language. A new card pays; without a pan it gets one
// of the test range that hangs on its name.
func (h *Host) DefineCard(name string, fields ...string) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return fmt.Errorf("acquirer: %q is no name for a card", name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := blank(name, generated(name))
	if a := h.names[name]; a != nil {
		c = a.Card
	}
	for _, f := range fields {
		k, v, ok := strings.Cut(f, "=")
		if !ok {
			return fmt.Errorf("acquirer: card %s: want field=value", name)
		}
		if err := c.set(k, v); err != nil {
			return err
		}
	}
	c.rechip()
	h.keep(c)
	return nil
}

// Card is a card of the tray as it is now.
func (h *Host) Card(name string) (Card, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.names[name]
	if !ok {
		return Card{}, false
	}
	return a.Card, true
}

// Cards are the cards of the tray, in order.
func (h *Host) Cards() []Card {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Card
	for _, n := range h.tray {
		out = append(out, h.names[n].Card)
	}
	return out
}

// Close stops the host: listener, connections, books.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.Down()
	h.conns.Wait()
	h.mu.Lock()
	err := h.books.close()
	h.mu.Unlock()
	h.flush()
	return err
}

// Down closes the listener and cuts all connections.
func (h *Host) Down() {
	h.mu.Lock()
	if h.ln != nil {
		h.ln.Close()
		h.ln = nil
	}
	open := slices.Collect(maps.Keys(h.open))
	h.mu.Unlock()
	for _, c := range open {
		c.cut()
	}
}

// Up listens again at the same address; it does nothing if the host is up.
func (h *Host) Up() error {
	h.mu.Lock()
	up, closed := h.ln != nil, h.closed
	h.mu.Unlock()
	if closed {
		return net.ErrClosed
	}
	if up {
		return nil
	}
	ln, err := net.Listen(h.network, h.addr)
	if err != nil {
		return fmt.Errorf("acquirer: %w", err)
	}
	h.listen(ln)
	return nil
}
