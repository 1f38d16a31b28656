package world

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/firmware/sim/card"
)

func TestChipFaults(t *testing.T) {
	genac, record := []byte{0x80, 0xAE, 0, 0}, []byte{0x00, 0xB2, 1, 0x0C, 0}
	ok := []byte{0x70, 2, 1, 2, 0x90, 0}
	for _, c := range []struct {
		words     []string
		first     []byte // answers to GENERATE AC 1 and 2
		second    []byte
		carried   int // of the two, by the card
		withdrawn bool
	}{
		{nil, ok, ok, 2, false},
		{[]string{"fault=genac2:6985"}, ok, []byte{0x69, 0x85}, 1, false},
		{[]string{"fault=genac:mute"}, nil, nil, 0, false},
		{[]string{"fault=genac1:flip", "fault=genac2:6985"}, []byte{0x70, 2, 0, 2, 0x90, 0}, []byte{0x69, 0x85}, 1, false},
		{[]string{"fault=record1:6A83"}, ok, ok, 2, false},
		{[]string{"remove=genac1"}, nil, nil, 0, true},
		{[]string{"remove=genac2:after"}, ok, nil, 2, true},
		{[]string{"fault=genac1:80027C009000"}, []byte{0x80, 2, 0x7C, 0, 0x90, 0}, ok, 1, false},
	} {
		faults, err := parseChipFaults(c.words)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 2 { // a reset begins the count anew
			carried, withdrawn := 0, false
			o := faulty(cardsim.Opts{App: func([]byte) []byte { carried++; return ok }}, faults, func() { withdrawn = true })
			o.Reset()
			if round == 1 {
				o.App(genac)
				o.Reset()
				carried, withdrawn = 0, false
			}
			first, second := o.App(genac), o.App(genac)
			if !bytes.Equal(first, c.first) || !bytes.Equal(second, c.second) || carried != c.carried || withdrawn != c.withdrawn {
				t.Errorf("%v: %X %X, carried out %d, withdrawn %v", c.words, first, second, carried, withdrawn)
			}
			if r := o.App(record); c.withdrawn && r != nil {
				t.Errorf("%v: a card that is out answers %X", c.words, r)
			}
		}
	}
	for _, bad := range []string{"", "fault", "fault=", "fault=genac", "fault=genac0:6985", "fault=genac1:69", "fault=genac1:zz", "fault=nothing:6985",
		"remove=genac1:before", "break=genac1", "fault=genac99999999999999999999:6985"} {
		if _, err := parseChipFaults([]string{bad}); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// slotOf counts what goes in and comes out.
type slotOf struct {
	slot
	in *cardsim.Opts
	mu sync.Mutex
}

func (s *slotOf) insert(o cardsim.Opts) { s.in = &o }

func (s *slotOf) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in = nil
}

func (s *slotOf) powered() bool { return false }

func (s *slotOf) notice() time.Duration { return 0 }

// A card that is withdrawn at a command is out when the next goes in, and is not there
// to be removed; the card itself, which calls under the slot's lock, does not wait.
func TestWithdrawn(t *testing.T) {
	w, err := New(Opts{Dir: t.TempDir(), Chip: func(_ string, _ *card.Profile) (*cardsim.Opts, error) {
		return &cardsim.Opts{App: func([]byte) []byte { return []byte{0x90, 0} }}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := &slotOf{}
	w.icc, w.slot = "serial", s
	do := func(words ...string) error { return w.Do(t.Context(), words[0], words[1:]...) }
	if err := do("insert", "debit", "remove=genac1"); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock() // as a slot that hands a byte to its card
	r := s.in.App([]byte{0x80, 0xAE, 0, 0})
	s.mu.Unlock()
	if r != nil {
		t.Errorf("it answers %X", r)
	}
	if err := do("remove"); err == nil {
		t.Error("a card that is out comes out again")
	}
	if err := do("insert", "debit"); err != nil || s.in == nil {
		t.Errorf("%v, in %v", err, s.in)
	}
	if err := do("remove"); err != nil || s.in != nil {
		t.Errorf("%v, in %v", err, s.in)
	}
	for _, bad := range [][]string{{"insert"}, {"insert", "debit", "fault=genac"}} {
		if err := do(bad...); !errors.Is(err, ErrUsage) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	w.slot = nil
}
