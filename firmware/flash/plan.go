package flash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
)

// Sent says how a device comes by the new build.
type Sent string

const (
	Nothing Sent = "nothing" // it has it
	Delta   Sent = "delta"
	Blocks  Sent = "blocks" // those that it does not have
	Whole   Sent = "whole"
)

// Plan is what is to be done for one device.
type Plan struct {
	Sent    Sent
	Payload int        // of the bundle; -1 for Nothing
	Set     bundle.Set // of Blocks: those that go over the line
	Bytes   int64      // of the file that goes over the line
	Phase   Phase      // where to begin
}

// Phase of the work at a device.
type Phase int

const (
	Transfer Phase = iota // send what is missing, put it on trial
	Begin                 // it is on trial from the next start on: start again
	Await                 // the trial runs: wait for its end
	Over                  // the build runs and is confirmed
)

// refuse is a refusal that the laptop can see before the device does.
func refuse(r update.Reason, format string, args ...any) error {
	return &update.Refusal{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// Asks tells whether a device is to be asked which blocks it has, before For: the
// bundle has them one by one, something is to be sent, and no delta fits. What a
// delta is from is the running build; it says "as there" of all that equal blocks
// would save, and of what moved, so it is smaller.
func Asks(b *bundle.Bundle, f flashwire.Facts) bool {
	if i := byBlock(b); i < 0 || b.Packed[i] == nil {
		return false
	}
	p, err := For(b, f, nil)
	return p.Sent == Whole || refusal(err, update.NoBase)
}

func refusal(err error, reason update.Reason) bool {
	var r *update.Refusal
	return errors.As(err, &r) && r.Reason == reason
}

// byBlock is the payload of kind Blocks; -1: there is none.
func byBlock(b *bundle.Bundle) int {
	return slices.IndexFunc(b.Manifest.Payloads, func(p bundle.Payload) bool { return p.Kind == bundle.Blocks })
}

// For says what is the least to do for a device with these facts, and these blocks
// (nil: it was not asked). The error is an [update.Refusal]: what the device would
// answer too, without a byte sent. The device judges again, and by its own keys.
func For(b *bundle.Bundle, f flashwire.Facts, has bundle.Set) (Plan, error) {
	m := b.Manifest
	sum := hex.EncodeToString(m.Sum[:])
	nothing := Plan{Sent: Nothing, Payload: -1}
	switch floor, err := bundle.ParseVersion(f.Floor); {
	case f.Product != m.Product:
		return Plan{}, refuse(update.WrongProduct, "%s, and this is %s", m.Product, f.Product)
	case f.Board != m.Board:
		return Plan{}, refuse(update.WrongBoard, "%s, and this is %s", m.Board, f.Board)
	case f.Running == sum && f.State == flashwire.Trying:
		nothing.Phase = Await
		return nothing, nil
	case f.Running == sum:
		nothing.Phase = Over
		return nothing, nil
	case err == nil && m.Version.Compare(floor) < 0:
		return Plan{}, refuse(update.TooOld, "%v, and nothing below %v runs here", m.Version, floor)
	case f.Other == sum && f.State == flashwire.Pending:
		nothing.Phase = Begin
		return nothing, nil
	case f.Other == sum:
		return nothing, nil
	case len(b.Signatures) == 0:
		return Plan{}, refuse(update.Unsigned, "nobody has signed it")
	}
	head := int64(len(b.Head.Append(nil))) + 1
	best := Plan{Payload: -1}
	for i, p := range m.Payloads {
		way := Plan{Sent: Whole, Payload: i, Bytes: head + p.Size}
		usable := b.Packed[i] != nil
		switch p.Kind {
		case bundle.Delta:
			way.Sent = Delta
			usable = usable && hex.EncodeToString(p.Base[:]) == f.Running
		case bundle.Blocks:
			here := b.Set(i)
			way.Sent, way.Set = Blocks, bundle.All(len(m.Blocks)).Without(has)
			way.Bytes = head + int64(len(here)) + p.SizeOf(way.Set)
			usable = usable && has != nil && p.SizeOf(way.Set.Without(here)) == 0
		}
		if usable && (best.Payload < 0 || way.Bytes < best.Bytes) {
			best = way
		}
	}
	if best.Payload < 0 {
		return Plan{}, refuse(update.NoBase, "this device runs %s", or(f.Version, "another build"))
	}
	return best, nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// files are the ways to send a bundle, made once for all devices.
type files struct {
	b  *bundle.Bundle
	mu sync.Mutex
	by map[string]file
}

type file struct {
	b   []byte
	sum bundle.Sum
}

func (x *files) of(p Plan) (io.ReaderAt, int64, bundle.Sum) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := fmt.Sprintf("%d %x", p.Payload, p.Set)
	f, ok := x.by[key]
	if !ok {
		f.b = x.b.File(p.Payload)
		if p.Set != nil {
			f.b = x.b.Slim(p.Payload, p.Set)
		}
		f.sum = sha256.Sum256(f.b)
		if x.by == nil {
			x.by = map[string]file{}
		}
		x.by[key] = f
	}
	return bytes.NewReader(f.b), int64(len(f.b)), f.sum
}
