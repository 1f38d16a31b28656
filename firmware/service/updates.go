package service

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"swipewell/firmware/smp"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/firmware/ymodem"
	"swipewell/hal"
)

// Ways of a bundle, as the inbox's claim and the journal name them.
const (
	ByFlash  = "flash"
	BySMP    = "smp"
	ByYMODEM = "ymodem"
)

// forgotten is the silence after which a sender is gone, and another may send.
const forgotten = 30 * time.Second

// Updates are the slots and the inbox behind every way of a bundle: one call at a
// time, one sender at a time.
type Updates struct {
	clock   hal.Clock
	running update.Slot
	told    func(update.Event)
	changed func() // somebody began to send, or is done

	mu    sync.Mutex
	dev   *update.Device
	inbox *update.Inbox
	quiet func() bool // stops the timer of a sender that is silent
	flash *flashwire.Device

	sending atomic.Bool
}

// UpdatesOpts of NewUpdates; all must be there but Changed.
type UpdatesOpts struct {
	Device  *update.Device
	Inbox   *update.Inbox
	Running update.Slot
	Clock   hal.Clock
	Tell    func(update.Event) // for the journal
	Changed func()             // Sending has another answer now
}

// Events that are not the inbox's.
const (
	OnTrial   update.What = "on-trial"
	Confirmed update.What = "confirmed"
	Erased    update.What = "erased"
)

// NewUpdates puts a lock around a device and its inbox. Nobody else uses them.
func NewUpdates(o UpdatesOpts) *Updates {
	u := &Updates{clock: o.Clock, running: o.Running, told: o.Tell, changed: o.Changed, dev: o.Device, inbox: o.Inbox}
	u.inbox.Tell = o.Tell
	return u
}

// Do has f use the device while nobody else does.
func (u *Updates) Do(f func(*update.Device) error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return f(u.dev)
}

// Sending tells whether a bundle is being received; it never waits.
func (u *Updates) Sending() bool { return u.sending.Load() }

// settle looks at who sends, after each call and under mu.
func (u *Updates) settle() {
	if u.quiet != nil {
		u.quiet()
		u.quiet = nil
	}
	who := u.inbox.Who
	if who != "" {
		wait := forgotten
		if who == ByFlash {
			wait = flashwire.IdleWait
		}
		u.quiet = u.clock.AfterFunc(wait, func() { u.gone(who) })
	}
	if u.sending.Swap(who != "") != (who != "") && u.changed != nil {
		u.changed()
	}
}

// gone lets the next sender in.
func (u *Updates) gone(who string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.release(who)
	u.settle()
}

func (u *Updates) release(who string) {
	if who == ByFlash && u.flash != nil {
		u.flash.Idle()
	}
	u.inbox.Release(who)
}

// Pulled is told that the cable of a way was pulled.
func (u *Updates) Pulled() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.release(u.inbox.Who)
	u.settle()
}

// Try puts the other slot on trial.
func (u *Updates) Try(who string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.try(who)
}

func (u *Updates) try(who string) error {
	err := u.dev.Try()
	e := update.Event{What: OnTrial, Who: who, Err: err}
	if err != nil {
		e.What = update.Refused
	}
	if r, e2 := u.dev.Record(); e2 == nil {
		e.Version = r.Images[u.running.Other()].Version
	}
	u.told(e)
	return err
}

// Pending tells whether the other slot is on trial from the next start on.
func (u *Updates) Pending() bool {
	r, err := u.Record()
	return err == nil && r.Trial == u.running.Other()
}

// Record is the boot record.
func (u *Updates) Record() (update.Record, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.dev.Record()
}

// Images is the SMP server's side of it.
func (u *Updates) Images() smp.Images {
	return images{u, &smp.Bundles{Device: u.dev, Inbox: u.inbox, Running: u.running, Who: BySMP}}
}

type images struct {
	u *Updates
	b *smp.Bundles
}

func (i images) State() ([]smp.ImageState, error) {
	i.u.mu.Lock()
	defer i.u.mu.Unlock()
	return i.b.State()
}

func (i images) Upload(off, total int64, sha, data []byte) (int64, bool, error) {
	i.u.mu.Lock()
	defer i.u.mu.Unlock()
	defer i.u.settle()
	return i.b.Upload(off, total, sha, data)
}

func (i images) Test(hash []byte) error {
	i.u.mu.Lock()
	defer i.u.mu.Unlock()
	err := i.b.Test(hash)
	i.tell(OnTrial, err)
	return err
}

func (i images) Confirm() error {
	i.u.mu.Lock()
	defer i.u.mu.Unlock()
	err := i.b.Confirm()
	i.tell(Confirmed, err)
	return err
}

func (i images) Erase() error {
	i.u.mu.Lock()
	defer i.u.mu.Unlock()
	err := i.b.Erase()
	i.tell(Erased, err)
	return err
}

func (i images) tell(w update.What, err error) {
	e := update.Event{What: w, Who: BySMP, Err: err}
	if r, e2 := i.u.dev.Record(); e2 == nil {
		s := i.u.running
		if w == OnTrial {
			s = s.Other()
		}
		e.Version = r.Images[s].Version
	}
	if err != nil {
		e.What = update.Refused
	}
	i.u.told(e)
}

// Flash is the flash frames' side of it: d without its Inbox, Try and Has.
func (u *Updates) Flash(d *flashwire.Device) (got func(flashwire.Frame) [][]byte, damaged func()) {
	d.Inbox, d.Who = u.inbox, ByFlash
	d.Try = func() error { return u.try(ByFlash) } // under mu already
	d.Has = u.dev.Has
	u.flash = d
	got = func(f flashwire.Frame) [][]byte {
		u.mu.Lock()
		defer u.mu.Unlock()
		defer u.settle()
		return d.Got(f)
	}
	damaged = func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		d.Damaged()
	}
	return got, damaged
}

// RecordLocked is the record for who is called back by [Updates.Flash].
func (u *Updates) RecordLocked() (update.Record, error) { return u.dev.Record() }

// Receive takes one bundle by YMODEM, puts it on trial and gives its version. A
// batch of several files is several bundles: the last counts.
func (u *Updates) Receive(ctx context.Context, l ymodem.Line, stream bool) (v bundle.Version, err error) {
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.inbox.Release(ByYMODEM)
		u.settle()
	}()
	var in *incoming
	_, err = ymodem.Receive(ctx, l, ymodem.Opts{Clock: u.clock, Stream: stream, Open: func(f ymodem.File) (io.WriteCloser, error) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if err := u.inbox.Claim(ByYMODEM); err != nil {
			return nil, err
		}
		defer u.settle()
		off, err := u.inbox.Begin(f.Size, bundle.Sum{})
		in = &incoming{u: u, off: off}
		return in, err
	}})
	if err != nil {
		return v, err
	}
	if in == nil || !in.done {
		return v, ymodem.ErrLine
	}
	if err := u.Try(ByYMODEM); err != nil {
		return v, err
	}
	r, err := u.Record()
	return r.Images[u.running.Other()].Version, err
}

// incoming is a file on its way into the inbox.
type incoming struct {
	u    *Updates
	off  int64
	done bool
}

func (i *incoming) Write(b []byte) (n int, err error) {
	i.u.mu.Lock()
	defer i.u.mu.Unlock()
	defer i.u.settle()
	if i.done { // padding behind a file whose size was not told
		return len(b), nil
	}
	i.off, i.done, err = i.u.inbox.Put(i.off, b)
	return len(b), err
}

func (i *incoming) Close() error { return nil }
