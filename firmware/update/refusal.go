package update

import (
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/update/bundle"
)

// Reason is why an update is not taken. The running build is untouched then.
type Reason int

const (
	NotABundle Reason = iota + 1
	WrongProduct
	WrongBoard
	TooOld
	Unsigned
	Forged
	NoBase
	Damaged
	Cut
	SlotFull
	WrongSchema
	MoneyOpen
	OnTrial
	Busy
	MediumFails
)

// reasons: code, what is wrong, what to do.
var reasons = map[Reason][3]string{
	NotABundle:   {"F-UPD-01", "this is not a bundle", "send a file that postool bundle made"},
	WrongProduct: {"F-UPD-02", "the bundle is for another product", "check the file"},
	WrongBoard:   {"F-UPD-03", "the bundle is for another board", "send the bundle of this board"},
	TooOld:       {"F-UPD-04", "the build is older than this device may run", "send a newer one"},
	Unsigned:     {"F-UPD-05", "too few signatures that this device knows", "have it signed by production keys"},
	Forged:       {"F-UPD-06", "a signature does not fit", "do not use the file; report where it came from"},
	NoBase:       {"F-UPD-07", "what it is made from is not on this device", "send the whole image"},
	Damaged:      {"F-UPD-08", "bytes were changed on the way", "send it again; what was verified is kept"},
	Cut:          {"F-UPD-09", "the bundle ended early", "send it again; what was verified is kept"},
	SlotFull:     {"F-UPD-10", "the image is larger than the slot", "send a build for this board"},
	WrongSchema:  {"F-UPD-11", "the build cannot read this device's data", "send a build whose range of schemas has this one"},
	MoneyOpen:    {"F-UPD-12", "money is unresolved, half settled or in a sale", "let it settle, or resolve it, then send again"},
	OnTrial:      {"F-UPD-13", "a build is on trial", "wait until it is confirmed or rolled back"},
	Busy:         {"F-UPD-14", "another update runs", "wait, or end the other technician's session"},
	MediumFails:  {"F-UPD-15", "the slot cannot be written or read back", "have the device repaired"},
}

// Code of the message, as firmware/doc has it.
func (r Reason) Code() string { return reasons[r][0] }

// Hint is what a technician does about it.
func (r Reason) Hint() string { return reasons[r][2] }

func (r Reason) String() string { return reasons[r][1] }

// Refusal is an update that is not taken.
type Refusal struct {
	Reason
	Detail string
	Err    error
}

func (r *Refusal) Error() string {
	s := r.Code() + " " + r.Reason.String()
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s + "; " + r.Hint()
}

func (r *Refusal) Unwrap() error { return r.Err }

func refuse(r Reason, format string, args ...any) error {
	return &Refusal{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// named turns an error of a bundle into the refusal that it is.
func named(err error) error {
	var r *Refusal
	if err == nil || errors.As(err, &r) {
		return err
	}
	reason := Damaged
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, bundle.ErrBase), errors.Is(err, io.EOF):
		reason = Cut
	case errors.Is(err, bundle.ErrNotABundle), errors.Is(err, bundle.ErrManifest):
		reason = NotABundle
	case errors.Is(err, bundle.ErrUnsigned):
		reason = Unsigned
	case errors.Is(err, bundle.ErrSignature):
		reason = Forged
	case errors.Is(err, bundle.ErrBase):
		reason = NoBase
	case errors.Is(err, errMedium):
		reason = MediumFails
	}
	return &Refusal{Reason: reason, Detail: err.Error(), Err: err}
}

var errMedium = errors.New("update: medium")
