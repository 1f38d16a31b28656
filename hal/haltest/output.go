package haltest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"swipewell/hal"
)

// PrinterBench is a printer and its paper.
type PrinterBench struct {
	Printer hal.Printer
	// Lines are the texts printed since the bench was opened, oldest first,
	// empty lines left out. It is asked after Print has returned, and repeatedly
	// if they are not all there yet.
	Lines func() []string
	// Paper takes the paper out (false) or puts it back; nil leaves those tests out.
	Paper func(in bool)
}

// Printer is the conformance suite of hal.Printer.
func Printer(t *testing.T, open func(t *testing.T) PrinterBench) {
	slip := hal.Slip{Cut: true, Lines: []hal.PrintLine{{Text: "银联商务", Style: hal.StyleBold | hal.StyleCenter}, {Style: hal.StyleRule},
		{Text: "AMOUNT 12.80", Style: hal.StyleBig}, {Text: "total 3"}}}
	texts := []string{"银联商务", "AMOUNT 12.80", "total 3"}
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Printer) })
	t.Run("LinesInOrder", func(t *testing.T) {
		b := open(t)
		if n := b.Printer.Columns(); n < 16 {
			t.Errorf("%d columns", n)
		}
		var want []string
		for range 2 {
			if err := b.Printer.Print(limit(t), slip); err != nil {
				t.Fatal(err)
			}
			want = append(want, texts...)
			printed(t, b, want)
		}
	})
	t.Run("CancelledPrint", func(t *testing.T) {
		b := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Printer.Print(ctx, slip); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	})
	t.Run("PaperOutIsTyped", func(t *testing.T) {
		b := open(t)
		if b.Paper == nil {
			t.Skip("needs paper that can be taken out")
		}
		b.Paper(false)
		var pe *hal.PrinterError
		if err := b.Printer.Print(limit(t), slip); !errors.As(err, &pe) || pe.Cause != hal.PaperOut {
			t.Errorf("%v, want a PrinterError %q", err, hal.PaperOut)
		}
		b.Paper(true)
		if err := b.Printer.Print(limit(t), slip); err != nil {
			t.Errorf("with paper again: %v", err)
		}
	})
}

// printed waits until the paper shows these texts; a centred line may have blanks.
func printed(t *testing.T, b PrinterBench, want []string) {
	t.Helper()
	var got []string
	for range int(patience / pause) {
		got = nil
		for _, l := range b.Lines() {
			if l = strings.TrimSpace(l); l != "" && strings.Trim(l, "-=─") != "" {
				got = append(got, l)
			}
		}
		if len(got) >= len(want) {
			break
		}
		hal.Sleep(t.Context(), real, pause)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the paper shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// LampsBench is the lamps and whoever looks at them.
type LampsBench struct {
	Lamps hal.Lamps
	Names []string // the board's
	// State is what a lamp shows now; it is asked repeatedly.
	State func(name string) hal.LampState
}

// Lamps is the conformance suite of hal.Lamps.
func Lamps(t *testing.T, open func(t *testing.T) LampsBench) {
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Lamps) })
	t.Run("EachLampEachState", func(t *testing.T) {
		b := open(t)
		for _, name := range b.Names {
			for _, want := range []hal.LampState{hal.LampOn, hal.LampBlink, hal.LampOff, hal.LampOn, hal.LampOn} {
				if err := b.Lamps.Set(name, want); err != nil {
					t.Fatalf("%s %v: %v", name, want, err)
				}
				got := b.State(name)
				for tries := 0; got != want && tries < int(patience/pause); tries++ {
					hal.Sleep(t.Context(), real, pause)
					got = b.State(name)
				}
				if got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
		}
	})
	t.Run("UnknownLamp", func(t *testing.T) {
		if err := open(t).Lamps.Set("no such lamp", hal.LampOn); err == nil {
			t.Error("an unknown name is no error")
		}
	})
}
