package terminal_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/card"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/sim/world"
	"swipewell/firmware/terminal"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// slotted is a reader with a simulated card behind it. What befalls a command is the
// test's.
type slotted struct {
	card  *card.Card
	in    bool
	power bool
	apdus int // of this session
	most  int
	sent  []string // the headers of this session
	fate  func(n int, capdu []byte, do func() []byte) ([]byte, error)
	reset error
}

func (*slotted) String() string { return "a slot" }
func (*slotted) Halt() error    { return nil }

func (s *slotted) Present() (bool, error) { return s.in, nil }

func (s *slotted) WaitCard(ctx context.Context, _ bool) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *slotted) PowerUp(context.Context) (hal.Reset, error) {
	if s.reset != nil {
		return hal.Reset{}, s.reset
	}
	if !s.in {
		return hal.Reset{}, &hal.ChipError{Cause: hal.ChipRemoved}
	}
	s.power, s.apdus, s.sent = true, 0, nil
	s.card.Reset()
	return hal.Reset{ATR: []byte{0x3B, 0x60, 0, 0}}, nil
}

func (s *slotted) PowerDown() error {
	s.power = false
	return nil
}

func (s *slotted) Transmit(_ context.Context, dst, capdu []byte) ([]byte, error) {
	switch {
	case !s.in:
		return dst, &hal.ChipError{Cause: hal.ChipRemoved}
	case !s.power:
		return dst, &hal.ChipError{Cause: hal.ChipDevice, Err: errors.New("the contacts are dead")}
	}
	n := s.apdus
	s.apdus++
	s.most = max(s.most, s.apdus)
	s.sent = append(s.sent, hex.EncodeToString(capdu[:4]))
	do := func() []byte { return s.card.Transmit(capdu) }
	var r []byte
	var err error
	if s.fate != nil {
		r, err = s.fate(n, capdu, do)
	} else {
		r = do()
	}
	if err == nil && r == nil {
		err = &hal.ChipError{Cause: hal.ChipMute}
	}
	if err != nil {
		s.power = false
		return dst, err
	}
	return append(dst, r...), nil
}

// chipHouse is a terminal with a slot, a PIN pad and a journal.
type chipHouse struct {
	house
	slot  *slotted
	pad   *customer
	dir   string
	lines *bytes.Buffer
}

func newChipHouse(t *testing.T, name string, change func(*card.Profile)) *chipHouse {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "terminal-test-")
	if err != nil {
		dir = t.TempDir()
	}
	text, err := world.Tables(1)
	if err != nil {
		t.Fatal(err)
	}
	file, err := table.ParseFile(text)
	if err != nil {
		t.Fatal(err)
	}
	w, x := &wire{}, &chipHouse{slot: &slotted{}, pad: &customer{}, dir: dir, lines: &bytes.Buffer{}}
	p, err := card.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&p)
	}
	x.pad.digits = p.PIN
	if x.slot.card, err = card.New(p); err != nil {
		t.Fatal(err)
	}
	log, err := journal.Open(journal.Opts{Dir: filepath.Join(dir, "journal"), Mirror: x.lines})
	if err != nil {
		t.Fatal(err)
	}
	h, err := stage.New(stage.Opts{Dir: dir, Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: w}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Board: func(b *hal.Board) { b.PINPad, b.Chip = x.pad, x.slot },
		Profile: func(p *txn.Profile) {
			p.Slot, p.Fallback = true, 1
			p.Offline = txn.Offline{Each: 10_000, Total: 100_000, Count: 20, Age: 24 * time.Hour}
		},
		Term: func(o *terminal.Opts) { o.Tables, o.Journal = file, log }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close(); h.Close(); os.RemoveAll(dir) })
	x.house = house{h, t, w}
	x.must(h.Do(func() { x.must(h.Boot()) }))
	return x
}

func (h *chipHouse) cardIn(in bool) {
	h.t.Helper()
	if h.slot.in = in; !in {
		h.slot.power = false
	}
	h.must(h.Do(func() { h.Term.CardIn(in) }))
}

// sale pays 812.80 with the card, as far as it goes: everything that is asked for is
// given. The card is taken out and time passes until nothing is open.
func (h *chipHouse) sale(amount string) (end prompt.Code) {
	h.t.Helper()
	if h.State().Phase != txn.Ready {
		h.must(h.Press("cancel"))
	}
	h.must(h.Press(append(stage.Digits(amount), "enter")...))
	h.cardIn(true)
	for range 40 {
		switch s := h.State(); s.Phase {
		case txn.Picking:
			h.must(h.Press("1"))
		case txn.Confirming:
			h.must(h.Wait(2 * time.Second))
			h.must(h.Press("enter"))
		case txn.Result, txn.AwaitCard, txn.Ready, txn.Halted:
			end = s.Code
		default:
			h.must(h.Wait(time.Second))
		}
		if end != "" {
			break
		}
	}
	if end == "" {
		h.t.Fatalf("no outcome: %v %v", h.State().Phase, h.State().Code)
	}
	h.cardIn(false)
	if p := h.State().Phase; p == txn.AwaitCard {
		h.must(h.Press("cancel"))
	}
	for range 60 {
		if s := h.State(); s.Durable.Reversals == 0 && s.Work == txn.WorkNone && h.waiting() == 0 {
			return end
		}
		h.must(h.Wait(20 * time.Second))
	}
	h.t.Fatalf("%d reversals, %d records stay open after %v", h.State().Durable.Reversals, h.waiting(), end)
	return end
}

// waiting are the records of the outbox.
func (h *chipHouse) waiting() int {
	h.t.Helper()
	recs, err := h.Store.Records()
	h.must(err)
	return len(recs)
}

// even compares the host's books with the batch: what one holds the other does.
func (h *chipHouse) even(what string) {
	h.t.Helper()
	d := h.State().Durable
	if host, ours := h.Host.NetCapture(func(acquirer.Entry) bool { return true }).Minor, d.Totals.Debit-d.Totals.Credit; host != ours || d.Open.Open() {
		h.t.Fatalf("%s: the host has booked %v, the batch has %v, open %v", what, pos.Fen(host), pos.Fen(ours), d.Open.Open())
	}
}

// clean looks for the number, the track and the PIN wherever the device keeps
// something.
func (h *chipHouse) clean(what string) {
	h.t.Helper()
	p := h.slot.card.Profile()
	secrets := [][]byte{[]byte(p.PAN), []byte("26" + p.PIN + "FFFFFFFF"), []byte(p.PAN + "=" + p.Expiry[:4]), []byte(p.PAN + "D" + p.Expiry[:4])}
	for _, s := range secrets[:2] {
		b, err := hex.DecodeString(string(s) + strings.Repeat("F", len(s)%2))
		h.must(err)
		secrets = append(secrets, b[:len(b)-len(s)%2])
	}
	find := func(where string, b []byte) {
		for _, s := range secrets {
			if bytes.Contains(bytes.ToUpper(b), bytes.ToUpper(s)) {
				h.t.Fatalf("%s: %s has what nobody may keep", what, where)
			}
		}
	}
	find("the journal", h.lines.Bytes())
	find("the state", fmt.Appendf(nil, "%+v", h.State()))
	h.must(filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		find(path, b)
		return err
	}))
	if g := h.pad.given; g != nil && g.Len() != 0 {
		h.t.Fatalf("%s: the PIN was not wiped", what)
	}
}

// usable pays once more, with nothing in its way.
func (h *chipHouse) usable(what string) {
	h.t.Helper()
	h.slot.fate, h.slot.reset = nil, nil
	before := h.State().Durable.Sales
	if end := h.sale("20000"); h.State().Durable.Sales != before+1 {
		h.t.Fatalf("%s: the next sale ends with %v", what, end)
	}
}

// whole is a CDA sale with scripts on both sides of the last cryptogram.
func (h *chipHouse) scripted() {
	h.t.Helper()
	h.host("issuer script off")
	h.host("issuer script unblock 71")
	h.host("issuer script pin-unblock 72")
}

// TestChipEveryAPDU: a sale by CDA with its PIN online and scripts before and behind
// the last cryptogram, spoiled at each command in every way: the card is pulled before
// or behind it, and whether the switch or the command tells of it first; the reader
// fails. Each ends in an outcome, with even books, and the terminal sells on.
func TestChipEveryAPDU(t *testing.T) {
	h := newChipHouse(t, "debit-online", nil)
	h.scripted()
	if end := h.sale("81280"); end != prompt.Approved {
		t.Fatalf("undisturbed: %v", end)
	}
	total := h.slot.apdus
	if total < 15 || h.Host.Seen("0620") != 1 {
		t.Fatalf("%d commands, %d results of scripts: %v", total, h.Host.Seen("0620"), h.slot.sent)
	}
	h.even("undisturbed")
	h.clean("undisturbed")
	lost := func(c hal.ChipCause) error { return &hal.ChipError{Cause: c} }
	pull := func(first bool, after bool) func(capdu []byte, do func() []byte) ([]byte, error) {
		return func(_ []byte, do func() []byte) ([]byte, error) {
			if after {
				do()
			}
			if h.slot.in = false; first {
				h.Term.CardIn(false)
			}
			return nil, lost(hal.ChipRemoved)
		}
	}
	fail := func(c hal.ChipCause, after bool) func(capdu []byte, do func() []byte) ([]byte, error) {
		return func(_ []byte, do func() []byte) ([]byte, error) {
			if after {
				do()
			}
			return nil, lost(c)
		}
	}
	ends := map[prompt.Code]int{}
	for name, f := range map[string]func(capdu []byte, do func() []byte) ([]byte, error){
		"pulled before": pull(false, false), "pulled before, the switch first": pull(true, false), "pulled behind": pull(false, true),
		"mute": fail(hal.ChipMute, false), "mute behind": fail(hal.ChipMute, true), "device": fail(hal.ChipDevice, true), "protocol": fail(hal.ChipProtocol, false), "parity": fail(hal.ChipParity, true),
	} {
		for i := range total {
			what := fmt.Sprintf("%s at %d", name, i)
			h.scripted()
			header := ""
			h.slot.fate = func(n int, capdu []byte, do func() []byte) ([]byte, error) {
				if n != i {
					return do(), nil
				}
				header = hex.EncodeToString(capdu[:2])
				return f(capdu, do)
			}
			before := h.State().Durable.Sales
			end := h.sale("81280")
			if header == "" {
				t.Fatalf("%s: only %d commands, %v", what, h.slot.apdus, end)
			}
			ends[end]++
			if booked := h.State().Durable.Sales != before; booked != (end == prompt.Approved) {
				t.Fatalf("%s (%s): %v, and booked %v", what, header, end, booked)
			}
			h.even(what)
		}
	}
	if ends[prompt.Reversed] == 0 || ends[prompt.CardRemoved] == 0 || ends[prompt.Approved] == 0 || ends[prompt.ChipSilent] == 0 {
		t.Errorf("the ends are %v", ends)
	}
	if f := h.Host.Faults(); len(f) != 0 {
		t.Errorf("%v", f)
	}
	h.clean("at the end")
	h.usable("at the end")
}

// TestChipEveryStatus: each class of status in place of the card's answer, at each
// command.
func TestChipEveryStatus(t *testing.T) {
	h := newChipHouse(t, "debit-online", nil)
	h.scripted()
	h.sale("81280")
	total := h.slot.apdus
	for _, sw := range []uint16{0x6283, 0x63C1, 0x6581, 0x6700, 0x6985, 0x6A81, 0x6A83, 0x6F00, 0x9001} {
		for i := range total {
			h.scripted()
			h.slot.fate = func(n int, _ []byte, do func() []byte) ([]byte, error) {
				r := do()
				if n == i {
					r = []byte{byte(sw >> 8), byte(sw)}
				}
				return r, nil
			}
			what := fmt.Sprintf("%04X at %d", sw, i)
			before := h.State().Durable.Sales
			end := h.sale("81280")
			if booked := h.State().Durable.Sales != before; booked != (end == prompt.Approved) {
				t.Fatalf("%s: %v, and booked %v", what, end, booked)
			}
			h.even(what)
		}
	}
	h.clean("at the end")
	h.usable("at the end")
}

// TestChipHostile: cards that answer anything, now and then or all the time. Always an
// outcome, within 300 commands, with even books; the terminal sells on.
func TestChipHostile(t *testing.T) {
	for _, name := range []string{"debit-online", "credit-pin", "floor", "two-apps"} {
		t.Run(name, func(t *testing.T) {
			h := newChipHouse(t, name, func(p *card.Profile) { p.Tries = 15 })
			ends := map[prompt.Code]int{}
			for seed := range uint64(250) {
				rnd := rand.New(rand.NewPCG(seed, 5))
				evil := 1 + rnd.IntN(60)
				h.slot.most = 0
				h.slot.fate = func(_ int, _ []byte, do func() []byte) ([]byte, error) {
					r := do()
					if rnd.IntN(evil) == 0 {
						r = spoil(rnd, r)
					}
					return r, nil
				}
				what := fmt.Sprintf("%s, seed %d", name, seed)
				ends[h.sale("6280")]++
				if h.slot.most > emv.MaxAPDUs {
					t.Fatalf("%s: %d commands", what, h.slot.most)
				}
				h.even(what)
			}
			if len(ends) < 3 {
				t.Errorf("the ends are %v", ends)
			}
			h.clean("at the end")
			h.usable("at the end")
		})
	}
}

func spoil(rnd *rand.Rand, r []byte) []byte {
	r = append([]byte(nil), r...)
	noise := make([]byte, rnd.IntN(257))
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	switch rnd.IntN(5) {
	case 0:
		return nil
	case 1:
		return append(noise, 0x90, 0)
	case 2:
		return append(r[:max(0, len(r)-2)], []byte{0x61, 0x62, 0x63, 0x67, 0x69, 0x6A, 0x6C, 0x6F, 0x91}[rnd.IntN(9)], byte(rnd.Uint32()))
	case 3:
		if len(r) > 2 {
			r[rnd.IntN(len(r)-2)] ^= 1 << rnd.IntN(8)
		}
	case 4:
		return append(tlv.Append(nil, []tlv.Tag{0x6F, 0x70, 0x77, 0x80}[rnd.IntN(4)], noise[:min(len(noise), 40)]), 0x90, 0)
	}
	return r
}

// TestChipPINs: each VERIFY has a PIN of its own, keyed for it, and wiped before the
// card has its next command. EMV 4.3 Book 3 §10.5.1.
func TestChipPINs(t *testing.T) {
	for _, name := range []string{"debit", "credit-pin"} { // enciphered, plain
		t.Run(name, func(t *testing.T) {
			h := newChipHouse(t, name, nil)
			right := h.pad.digits
			h.pad.digits = "9999"
			verifies := 0
			h.slot.fate = func(_ int, capdu []byte, do func() []byte) ([]byte, error) {
				if capdu[1] == 0x20 {
					if verifies++; len(h.pad.rules) != verifies {
						t.Errorf("VERIFY %d with %d entries", verifies, len(h.pad.rules))
					}
					if verifies == 1 {
						h.pad.digits = right
					}
					return do(), nil
				}
				if h.pad.given != nil && h.pad.given.Len() != 0 && capdu[1] != 0x84 {
					t.Errorf("the PIN is still there at %02X", capdu[1])
				}
				return do(), nil
			}
			if end := h.sale("81280"); end != prompt.Approved || verifies != 2 || len(h.pad.rules) != 2 {
				t.Errorf("%v after %d VERIFY and %d entries", end, verifies, len(h.pad.rules))
			}
			h.clean(name)
		})
	}
}

// TestChipUnableOnline: where no byte left the card may approve by itself (Y3); once one
// has left and nothing came back it is asked to decline, and told Z3. EMV 4.3 Book 3
// §10.7, Book 4 Annex A6.
func TestChipUnableOnline(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  func(h *chipHouse)
		p1   byte
		arc  string
		sent string // what settles it
	}{
		{"nothing left", func(h *chipHouse) { h.wire.down = true }, 0x40, "Y3", "0220"},
		{"the answer is lost", func(h *chipHouse) { h.host("answer lost -n 1") }, 0, "Z3", "0400"},
		{"nothing is heard", func(h *chipHouse) { h.host("answer silent -mti 0200 -n 1") }, 0, "Z3", "0400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newChipHouse(t, "floor", func(p *card.Profile) { // to the issuer where one can be had, else offline
				p.IACOnline, p.IACDefault, p.Version = "FFFFFFFFFF", "0000000000", "0031"
			})
			h.must(h.Press(menuKeys(prompt.MenuSignOn)...)) // the host numbers the batch
			h.must(h.Wait(5 * time.Minute))                 // the line of the sign-on is closed
			c.cut(h)
			var last []byte
			h.slot.fate = func(_ int, capdu []byte, do func() []byte) ([]byte, error) {
				if capdu[1] == 0xAE {
					last = bytes.Clone(capdu)
				} else if last != nil {
					t.Errorf("%02X between the cryptograms", capdu[1])
				}
				h.wire.down = h.wire.down && !bytes.Contains(last, []byte("Y3")) // and is back
				return do(), nil
			}
			end := h.sale("6280")
			if last == nil || last[2]&0xC0 != c.p1 || !bytes.Contains(last, []byte(c.arc)) {
				t.Errorf("GENERATE AC 2 %X", last)
			}
			if approved := h.State().Durable.Sales == 1; h.Host.Seen(c.sent) == 0 || approved != (c.p1 != 0) {
				t.Errorf("%v: %d of %s, approved %v", end, h.Host.Seen(c.sent), c.sent, approved)
			}
			h.even(c.name)
		})
	}
}

// TestChipSettled: what settlement uploads of chips is what the acquirer can check: the
// TC over the TVR that it covers, whatever scripts came to; the rows of cards that did
// not believe their issuer in a class of their own; no chip in the stripe's list, also
// where the batch does not balance; the results of scripts were told.
func TestChipSettled(t *testing.T) {
	for _, c := range []struct {
		name, card string
		host       []string
		uneven     bool
	}{
		{"plain", "debit-online", nil, false},
		{"uneven", "debit-online", nil, true},
		{"a script fails", "debit-online", []string{"issuer script bad-mac 72"}, false},
		{"a script fails before", "credit", []string{"issuer script bad-mac 71"}, true},
		{"not believed", "arpc-deaf", nil, false},
		{"not believed, uneven", "arpc-deaf", nil, true},
		{"offline", "floor", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newChipHouse(t, c.card, nil)
			amount := "81280"
			if c.card == "floor" {
				h.must(h.Press(menuKeys(prompt.MenuSignOn)...)) // the host numbers the batch
				h.must(h.Wait(5 * time.Second))
				amount = "6280"
			}
			for _, words := range c.host {
				h.host(words)
			}
			end := h.sale(amount)
			if h.State().Durable.Sales != 1 {
				t.Fatalf("%v", end)
			}
			if want := len(c.host); h.Host.Seen("0620") != want {
				t.Errorf("%d results of scripts, want %d", h.Host.Seen("0620"), want)
			}
			if c.uneven {
				h.host("settle unbalanced")
			}
			h.must(h.Press("cancel"))
			h.must(h.Press(menuKeys(prompt.MenuSettle)...))
			for range 60 {
				if h.State().Durable.Settle.Step == txn.NotSettling && h.State().Phase == txn.Result {
					break
				}
				h.must(h.Wait(time.Second))
			}
			want := map[bool]prompt.Code{false: prompt.Settled, true: prompt.SettledUneven}[c.uneven]
			if s := h.State(); s.Durable.Sales != 0 || s.Code != want {
				t.Fatalf("%v %v", s.Code, s.Durable.Settle)
			}
			if f := h.Host.Faults(); len(f) != 0 {
				t.Errorf("%v", f)
			}
			if n := h.Host.Seen("0320"); n != 2 { // one row and the end, and no list
				t.Errorf("%d uploads", n)
			}
		})
	}
}

func menuKeys(c prompt.Code) (keys []txn.Key) {
	for _, k := range txn.MenuKeys(c) {
		keys = append(keys, txn.Key(k))
	}
	return keys
}
