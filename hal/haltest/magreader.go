package haltest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"swipewell/hal"
)

// MagReaderBench is a reader and whoever draws the cards.
type MagReaderBench struct {
	Reader hal.MagReader
	// Swipe draws a card with this track 2 once; good = false damages it so
	// that track 2 cannot be read. It may block until the pass has been read.
	Swipe func(track2 string, good bool)
}

// MagReader is the conformance suite of hal.MagReader.
func MagReader(t *testing.T, open func(t *testing.T) MagReaderBench) {
	const card = "6225880000000004=30121010000012345678"
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Reader) })
	t.Run("GoodAndBadPasses", func(t *testing.T) {
		b := open(t)
		for _, good := range []bool{true, false, true, true, false, false, true} {
			before := real.Now()
			pass := start(func() (hal.Swipe, error) { return b.Reader.ReadSwipe(limit(t)) })
			go b.Swipe(card, good)
			s, err := await(t, "ReadSwipe", pass)
			if err != nil {
				t.Fatalf("a pass is data, not an error: %v", err)
			}
			if s.Readable() != good {
				t.Fatalf("readable %v, drawn good %v: track 2 %v", s.Readable(), good, s.Tracks[1].Fault)
			}
			if s.Received.Wall.Before(before.Wall) {
				t.Errorf("received at %v, before it was drawn at %v", s.Received.Wall, before.Wall)
			}
			for i, tr := range s.Tracks {
				if (tr.Fault == hal.TrackOK) != (tr.Data.Len() > 0) {
					t.Errorf("track %d: fault %v with %d characters", i+1, tr.Fault, tr.Data.Len())
				}
			}
			if !good {
				continue
			}
			s.Tracks[1].Data.Use(func(got []byte) {
				if string(got) != card {
					t.Error("track 2 differs, or has its sentinels")
				}
			})
			secret(t, s)
			s.Wipe()
			if s.Tracks[1].Data.Len() != 0 {
				t.Error("Wipe leaves track 2")
			}
		}
	})
	t.Run("CancelFreesReadSwipe", func(t *testing.T) {
		b := open(t)
		freed(t, "ReadSwipe", b.Reader.ReadSwipe)
		pass := start(func() (hal.Swipe, error) { return b.Reader.ReadSwipe(limit(t)) })
		go b.Swipe(card, true)
		if s, err := await(t, "ReadSwipe", pass); err != nil || !s.Readable() {
			t.Errorf("after a cancelled ReadSwipe: %v %v", s.Tracks[1].Fault, err)
		}
	})
	t.Run("TimeOutIsToldFromCancel", func(t *testing.T) {
		b := open(t)
		ctx, cancel := hal.WithTimeout(context.Background(), real, pause)
		defer cancel()
		done := start(func() (hal.Swipe, error) { return b.Reader.ReadSwipe(ctx) })
		if _, err := await(t, "ReadSwipe", done); err == nil || !hal.TimedOut(ctx) {
			t.Errorf("%v, timed out %v", err, hal.TimedOut(ctx))
		}
	})
}

// secret checks that no way of printing a swipe shows its digits.
func secret(t *testing.T, s hal.Swipe) {
	t.Helper()
	js, _ := json.Marshal(s)
	printed := []string{fmt.Sprint(s), string(js)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		printed = append(printed, fmt.Sprintf(verb, s))
	}
	for _, out := range printed {
		if strings.Contains(out, "622588") || strings.Contains(out, fmt.Sprintf("%x", "622588")) {
			t.Error("a printed swipe shows the card number")
		}
	}
}
