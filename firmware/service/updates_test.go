package service

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/update/updatesim"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// bench is a device with two slots, a bundle for it, and what it told.
type bench struct {
	u     *Updates
	clock *hal.SteppedClock
	file  []byte
	sum   bundle.Sum // of the file
	image bundle.Sum
	told  []string
	money error
}

func newBench(t *testing.T) *bench {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	old, image := make([]byte, 20_000), make([]byte, 20_000)
	for i := range image {
		old[i], image[i] = byte(r.UintN(60)), byte(r.UintN(60))
	}
	f, err := updatesim.Bundle(image, updatesim.Board)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{clock: hal.NewSteppedClock(nil, time.Unix(0, 0)), file: f.File(), image: f.Manifest.Sum}
	b.sum = sha256.Sum256(b.file)
	dev, err := updatesim.Device(old, 1<<20, func() error { return b.money })
	if err != nil {
		t.Fatal(err)
	}
	b.u = NewUpdates(UpdatesOpts{Device: dev, Inbox: update.NewInbox(dev, &updatesim.Memory{}, 1<<20), Running: update.A, Clock: b.clock, Tell: func(e update.Event) {
		var r *update.Refusal
		code := ""
		if errors.As(e.Err, &r) {
			code = " " + r.Code()
		}
		b.told = append(b.told, fmt.Sprintf("%s %s %v%s", e.What, e.Who, e.Version, code))
	}})
	return b
}

// tells is what was told since it was asked last.
func (b *bench) tells(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(b.told, want) {
		t.Errorf("told %q\nwant %q", b.told, want)
	}
	b.told = nil
}

func failed(out [][]byte) (t flashwire.Trouble) {
	var s flashwire.Splitter
	for _, o := range out {
		s.Feed(o, func(f flashwire.Frame) {
			if f.Type == flashwire.Failed {
				json.Unmarshal(f.Body, &t)
			}
		}, func() {})
	}
	return t
}

// TestOneSender: a second technician is told that it is busy, until the first is
// done, or was silent for half a minute; what came stays.
func TestOneSender(t *testing.T) {
	b := newBench(t)
	im := b.u.Images()
	got, _ := b.u.Flash(&flashwire.Device{Facts: func() flashwire.Facts { return flashwire.Facts{} }})
	next, _, err := im.Upload(0, int64(len(b.file)), b.sum[:], b.file[:2000])
	if err != nil || next != 2000 || !b.u.Sending() {
		t.Fatalf("%d %v %v", next, err, b.u.Sending())
	}
	b.tells(t, "offered smp 2.0.0")
	ask, err := json.Marshal(map[string]any{"size": len(b.file), "sum": fmt.Sprintf("%x", b.sum)})
	if err != nil {
		t.Fatal(err)
	}
	open := flashwire.Frame{Type: flashwire.Open, Body: ask}
	if f := failed(got(open)); f.Code != "F-UPD-14" {
		t.Errorf("a second sender: %+v", f)
	}
	b.tells(t, "refused flash 0.0.0 F-UPD-14")
	b.clock.Jump(forgotten - time.Second)
	if !b.u.Sending() {
		t.Error("forgotten too early")
	}
	b.clock.Jump(2 * time.Second)
	until(t, "the first is forgotten", func() bool { return !b.u.Sending() })
	if f := failed(got(open)); f.Code != "" || !b.u.Sending() {
		t.Errorf("after the first was gone: %+v", f)
	}
	b.tells(t, "resumed flash 2.0.0")
	b.u.Pulled()
	if b.u.Sending() {
		t.Error("the cable was pulled, and it still sends")
	}
	// The same file by the first way again: it goes on where it stood.
	if next, _, err = im.Upload(0, int64(len(b.file)), b.sum[:], b.file[:2000]); err != nil || next != 2000 {
		t.Fatalf("%d %v", next, err)
	}
	next, done, err := im.Upload(2000, 0, nil, b.file[2000:])
	if err != nil || !done || b.u.Sending() {
		t.Fatalf("%d %v %v", next, done, err)
	}
	b.tells(t, "resumed smp 2.0.0", "installed smp 2.0.0")
	b.money = errors.New("a sale")
	if err := im.Test(b.image[:]); err == nil || b.u.Pending() {
		t.Error("on trial in the midst of a sale")
	}
	b.money = nil
	if err := im.Test(b.image[:]); err != nil || !b.u.Pending() {
		t.Error(err)
	}
	b.tells(t, "refused smp 2.0.0 F-UPD-12", "on-trial smp 2.0.0")
	if list, err := im.State(); err != nil || len(list) != 2 || !list[1].Pending {
		t.Errorf("%+v %v", list, err)
	}
	if err := im.Erase(); err == nil {
		t.Error("a build on trial was erased")
	}
	b.tells(t, "refused smp 1.0.0 F-UPD-13")
}

// TestFlashTries: the flash frames' last question puts it on trial.
func TestFlashTries(t *testing.T) {
	b := newBench(t)
	got, damaged := b.u.Flash(&flashwire.Device{Facts: func() flashwire.Facts {
		if r, err := b.u.RecordLocked(); err != nil || r.Confirmed != update.A {
			t.Errorf("%+v %v", r, err)
		}
		return flashwire.Facts{Product: updatesim.Product}
	}})
	h := &flashwire.Host{PerFrame: time.Millisecond, Choose: func(flashwire.Facts) (r io.ReaderAt, size int64, sum bundle.Sum, err error) {
		return bytes.NewReader(b.file), int64(len(b.file)), b.sum, nil
	}}
	damaged() // before anything
	var split flashwire.Splitter
	for now := time.Duration(0); !h.Done(); now += time.Millisecond {
		frame, _, err := h.Next(now)
		if err != nil || now > time.Minute {
			t.Fatal(err, now)
		}
		split.Feed(frame, func(f flashwire.Frame) {
			for _, a := range got(f) {
				var back flashwire.Splitter
				back.Feed(a, h.Got, func() {})
			}
		}, func() {})
	}
	b.tells(t, "offered flash 2.0.0", "installed flash 2.0.0", "on-trial flash 2.0.0")
	if !b.u.Pending() {
		t.Error("not on trial")
	}
}

// TestReasonsAreInTheCatalogue: each reason of an update has its row, its words,
// and its place.
func TestReasonsAreInTheCatalogue(t *testing.T) {
	n := 0
	for r := update.NotABundle; !strings.HasPrefix(r.Code(), "F-UPD-16") && r.Code() != ""; r++ {
		if _, ok := prompt.Lookup(prompt.Code(r.Code())); !ok {
			t.Errorf("%s (%v) is not in the catalogue", r.Code(), r)
		}
		n++
	}
	if n != 15 {
		t.Errorf("%d reasons", n)
	}
}
