package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/iso7816/cardsim"
	"swipewell/drivers/pcsc/pcscsim"
	"swipewell/firmware/sim/card"
	"swipewell/firmware/sim/world"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// The slots of the bench: the real posd resets the card that is put in, by T=0
// and by T=1, says so of one without an answer, and takes a card that is in when
// the power comes. Byte by byte, by the virtual card link, and behind a real
// pcscd.
func TestSlot(t *testing.T) {
	for _, kind := range []string{"serial", "vpcd", "pcsc"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if why := pcscsim.Missing(); kind == "pcsc" && why != "" {
				t.Skip(why)
			}
			testSlot(t, kind)
		})
	}
}

func testSlot(t *testing.T, kind string) {
	resets := make(chan string, 16)
	o := world.Opts{Dir: t.TempDir()}
	o.Posd, o.Tool = real(t).posd, real(t).tool
	o.Chip = func(name string, _ *card.Profile) (*cardsim.Opts, error) {
		switch name {
		case "t0", "t1":
			return &cardsim.Opts{Protocol: int(name[1] - '0'), Reset: func() { resets <- name },
				App: func([]byte) []byte { return []byte{0x6A, 0x82} }}, nil
		case "stripe":
			return nil, nil
		}
		return nil, errors.New("no such card")
	}
	w, err := world.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	do := func(words string) {
		t.Helper()
		f := strings.Fields(words)
		if err := w.Do(t.Context(), f[0], f[1:]...); err != nil {
			t.Fatalf("%s: %v", words, err)
		}
	}
	reset := func(want string) {
		t.Helper()
		late, stop := hal.After(hal.SystemClock{}, 5*time.Second)
		defer stop()
		select {
		case got := <-resets:
			if got != want {
				t.Errorf("%s was reset, want %s", got, want)
			}
		case <-late:
			t.Fatalf("%s was not reset", want)
		}
	}
	shows := func(code prompt.Code) {
		t.Helper()
		late, stop := hal.After(hal.SystemClock{}, 5*time.Second)
		defer stop()
		for {
			v, next := w.Panel.View()
			if v.Caption.Code == string(code) {
				return
			}
			select {
			case <-next:
			case <-late:
				t.Fatalf("the screen shows %s %q, not %s", v.Caption.Code, v.Caption.Lines, code)
			}
		}
	}
	if err := w.Do(t.Context(), "insert", "t0"); err == nil {
		t.Error("a card goes in without a slot")
	}
	do("board icc " + kind)
	do("start")
	if err := w.Do(t.Context(), "remove"); err == nil {
		t.Error("a card comes out of an empty slot")
	}
	if err := w.Do(t.Context(), "insert", "none"); err == nil {
		t.Error("a card that does not exist goes in")
	}
	for _, name := range []string{"t0", "t1"} {
		do("amount 12.80") // at rest a card is told that the amount comes first
		do("insert " + name)
		reset(name)
		if err := w.Do(t.Context(), "insert", "t0"); err == nil {
			t.Error("two cards in one slot")
		}
		shows(prompt.ChipNoApp)
		do("remove")
		do("key cancel")
	}
	do("amount 12.80")
	do("insert stripe")
	shows(prompt.ChipSwipe)
	do("remove")
	do("power cut")
	do("insert t1")
	do("power on")
	do("amount 12.80")
	reset("t1")
}

// Without chips of cards the words say when they come.
func TestSlotWithoutCards(t *testing.T) {
	w, err := world.New(world.Opts{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var later *world.ErrLater
	for _, c := range []string{"insert", "remove"} {
		if err := w.Do(t.Context(), c, "x"); !errors.As(err, &later) {
			t.Errorf("%s: %v", c, err)
		}
	}
}
