package smp

import (
	"bytes"
	"errors"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

// Bundles are the [Images] of a device with two slots: what is uploaded is a
// bundle, what is listed are the images in the slots, by their SHA-256. Slot 0 of
// the list is the running one.
type Bundles struct {
	Device  *update.Device
	Inbox   *update.Inbox
	Running update.Slot
	Who     string // the port, for the inbox's claim; "": none is made
}

// State lists what the slots hold.
func (b *Bundles) State() ([]ImageState, error) {
	r, err := b.Device.Record()
	if err != nil {
		return nil, err
	}
	var list []ImageState
	for n, s := range []update.Slot{b.Running, b.Running.Other()} {
		i := r.Images[s]
		if i.Size == 0 {
			continue
		}
		list = append(list, ImageState{Slot: n, Version: i.Version.String(), Hash: i.Sum[:], Bootable: true, Pending: r.Trial == s && s != b.Running,
			Confirmed: r.Confirmed == s, Active: s == b.Running, Permanent: false})
	}
	return list, nil
}

// Upload takes the next bytes of a bundle.
func (b *Bundles) Upload(off, total int64, sha, data []byte) (int64, bool, error) {
	if b.Who != "" {
		if err := b.Inbox.Claim(b.Who); err != nil {
			return 0, false, coded(err)
		}
	}
	if off == 0 {
		var sum bundle.Sum
		copy(sum[:], sha)
		next, err := b.Inbox.Begin(total, sum)
		if err != nil || next > 0 {
			b.release(err != nil)
			return next, false, coded(err)
		}
	}
	next, done, err := b.Inbox.Put(off, data)
	b.release(done || err != nil)
	return next, done, coded(err)
}

func (b *Bundles) release(over bool) {
	if over && b.Who != "" {
		b.Inbox.Release(b.Who)
	}
}

// Test puts the image in the other slot on trial, if it has that SHA-256.
func (b *Bundles) Test(hash []byte) error {
	r, err := b.Device.Record()
	if err != nil {
		return err
	}
	i := r.Images[b.Running.Other()]
	if i.Size == 0 || !bytes.Equal(i.Sum[:], hash) {
		return problem(CodeNoEntry, "no slot holds that image")
	}
	return coded(b.Device.Try())
}

// Confirm keeps the running image.
func (b *Bundles) Confirm() error { return coded(b.Device.Confirm()) }

// Erase empties the slot that does not run.
func (b *Bundles) Erase() error { return coded(b.Device.Erase()) }

// coded gives a refusal its code of the protocol.
func coded(err error) error {
	var r *update.Refusal
	if !errors.As(err, &r) {
		return err
	}
	code := CodeInvalid
	switch r.Reason {
	case update.Busy, update.MoneyOpen, update.OnTrial:
		code = CodeBusy
	case update.Unsigned, update.Forged, update.TooOld:
		code = CodeDenied
	case update.Damaged, update.Cut:
		code = CodeCorrupt
	case update.SlotFull:
		code = CodeTooLarge
	case update.NoBase:
		code = CodeNoEntry
	}
	return &Problem{code, err}
}
