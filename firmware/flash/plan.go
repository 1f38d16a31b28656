package flash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
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
	Whole   Sent = "whole"
)

// Plan is what is to be done for one device.
type Plan struct {
	Sent    Sent
	Payload int   // of the bundle; -1 for Nothing
	Bytes   int64 // of the file that goes over the line
	Phase   Phase // where to begin
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

// For says what is the least to do for a device with these facts. The error is an
// [update.Refusal]: what the device would answer too, without a byte sent. The
// device judges again, and by its own keys.
func For(b *bundle.Bundle, f flashwire.Facts) (Plan, error) {
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
	best := -1
	for i, p := range m.Payloads {
		usable := b.Packed[i] != nil && (p.Kind == bundle.Whole || hex.EncodeToString(p.Base[:]) == f.Running)
		if usable && (best < 0 || p.Size < m.Payloads[best].Size) {
			best = i
		}
	}
	if best < 0 {
		return Plan{}, refuse(update.NoBase, "this device runs %s", or(f.Version, "another build"))
	}
	p := Plan{Sent: Whole, Payload: best, Bytes: int64(len(b.Head.Append(nil))) + 1 + m.Payloads[best].Size}
	if m.Payloads[best].Kind == bundle.Delta {
		p.Sent = Delta
	}
	return p, nil
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
	by map[int]file
}

type file struct {
	b   []byte
	sum bundle.Sum
}

func (x *files) of(i int) (io.ReaderAt, int64, bundle.Sum) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f, ok := x.by[i]
	if !ok {
		f.b = x.b.File(i)
		f.sum = sha256.Sum256(f.b)
		if x.by == nil {
			x.by = map[int]file{}
		}
		x.by[i] = f
	}
	return bytes.NewReader(f.b), int64(len(f.b)), f.sum
}
