package flashwire

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

// Facts are what a device says of itself. Sums are in hexadecimal.
type Facts struct {
	Product string `json:"product"`
	Board   string `json:"board"`
	Serial  string `json:"serial"`
	Version string `json:"version"` // of the running build
	Running string `json:"running"` // its SHA-256
	Other   string `json:"other"`   // of the build in the other slot; empty: none
	Floor   string `json:"floor"`
	Rates   []int  `json:"rates"` // that it can, from fast to slow
	State   State  `json:"state,omitempty"`
	Why     string `json:"why,omitempty"` // of RolledBack; at most MaxWhy bytes
}

// MaxWhy bytes of Facts.Why, so that all of it stays in one frame.
const MaxWhy = 200

// State of a device's builds, as the host waits for the end of a trial by it.
type State string

const (
	Settled    State = "settled"     // the running build is confirmed
	Pending    State = "pending"     // the other slot is on trial from the next start on
	Trying     State = "trying"      // the running build is on trial
	RolledBack State = "rolled-back" // since the last start the device knows that a trial failed
)

// Service is what somebody did at a device, as the laptop tells it. The device
// writes it to its journal as the laptop's words: nobody has proved them.
type Service struct {
	When    time.Time `json:"when"` // by the laptop's clock
	By      string    `json:"by"`   // at most MaxWord bytes, as every string here
	Laptop  string    `json:"laptop"`
	Serial  string    `json:"serial"` // of the device
	From    string    `json:"from"`   // version before
	To      string    `json:"to"`
	Sum     string    `json:"sum"`     // of the new image, hexadecimal
	Sent    string    `json:"sent"`    // nothing, delta, blocks or whole
	Bytes   int64     `json:"bytes"`   // of the file that was needed
	Line    int64     `json:"line"`    // that left the laptop
	Seconds float64   `json:"seconds"` // from the first question to the end
	Result  string    `json:"result"`  // a word: confirmed, rolled-back, refused, …
	Code    string    `json:"code,omitempty"`
}

// MaxWord bytes of a string of a Service.
const MaxWord = 64

// bounded gives a Service that fits a frame and a journal: printable, and short.
func (s Service) bounded() Service {
	for _, p := range []*string{&s.By, &s.Laptop, &s.Serial, &s.From, &s.To, &s.Sum, &s.Sent, &s.Result, &s.Code} {
		*p = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7F || r == unicode.ReplacementChar || !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, *p)
		for len(*p) > MaxWord {
			_, n := utf8.DecodeLastRuneInString(*p)
			*p = (*p)[:len(*p)-n]
		}
	}
	return s
}

type open struct {
	Size int64  `json:"size"`
	Sum  string `json:"sum"`
}

type opened struct {
	Off int64 `json:"off"`
}

// Trouble is what a device answers when it does not take something.
type Trouble struct {
	Code  string `json:"code"`
	Text  string `json:"text"`
	Hint  string `json:"hint"`
	Again bool   `json:"again,omitempty"` // nothing is wrong with it: announce the bundle again
}

func (t *Trouble) Error() string { return t.Code + " " + t.Text }

func body(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil || len(b) > MaxData {
		return []byte("{}")
	}
	return b
}

// plainTrouble is the code of what is no refusal of [update].
const plainTrouble = "F-UPD-00"

func trouble(err error) []byte {
	t := Trouble{Code: plainTrouble, Text: err.Error()}
	var r *update.Refusal
	if errors.As(err, &r) {
		t = Trouble{Code: r.Code(), Text: r.Reason.String() + ": " + r.Detail, Hint: r.Hint()}
	}
	if len(t.Text) > 400 {
		t.Text = t.Text[:400]
	}
	return AppendFrame(nil, Failed, body(t))
}

// later is a Trouble that passes.
func later(why string) []byte {
	return AppendFrame(nil, Failed, body(Trouble{Code: plainTrouble, Text: why, Again: true}))
}

// Device is the device's end of a session.
type Device struct {
	Facts func() Facts
	Inbox *update.Inbox
	Try   func() error
	// Restart ends the program, once its answer has left, so that the loader
	// starts what is on trial. It is called in the state Pending only: what was
	// put on trial is signed, and nothing else restarts without a login. It has to
	// refuse while money is open, as Try did before. nil: the device cannot.
	Restart func() error
	// Starting tells that it cannot say yet whether money is open: the host shall ask
	// again. nil: never.
	Starting func() bool
	// Has tells which blocks of an image are in its slots; nil: it does not know
	// the question, and is silent.
	Has func(update.Question) (bundle.Set, error)
	// Note writes to the journal what the laptop says that was done; nil: dropped.
	Note  func(Service) error
	Who   string // the port, for the inbox's claim
	r     *Receiver
	off   int64
	done  bool
	tried bool // a Try that is repeated is answered as the first
}

// IdleWait is the silence after which a device is to be told with [Device.Idle].
const IdleWait = 10 * time.Second

// Idle ends a transfer whose host is gone, so that another port may send. What
// came stays: the host announces the bundle again and goes on.
func (d *Device) Idle() {
	d.r, d.done = nil, false
	d.Inbox.Release(d.Who)
}

// Got takes a frame and gives what to send. Rates are [RateDevice]'s.
func (d *Device) Got(f Frame) (out [][]byte) {
	if (f.Type == Open || f.Type == Try) && d.Starting != nil && d.Starting() {
		return [][]byte{later("the device is starting")}
	}
	switch f.Type {
	case Hello:
		return [][]byte{AppendFrame(nil, Info, body(d.Facts()))}
	case Open:
		return [][]byte{d.open(f)}
	case Data, Poll:
		if d.r == nil {
			return [][]byte{later("no bundle was announced")}
		}
		a, err := d.r.Got(f)
		if err != nil {
			d.r = nil
			d.Inbox.Release(d.Who)
			return [][]byte{trouble(err)}
		}
		if d.done {
			a = d.r.ack() // the last one at once
		}
		if a != nil {
			out = append(out, a)
		}
		if d.done {
			out = append(out, done(Open))
		}
	case Try:
		if !d.tried {
			if err := d.Try(); err != nil {
				return [][]byte{trouble(err)}
			}
			d.tried = true
		}
		return [][]byte{done(Try)}
	case Restart:
		return [][]byte{d.restart()}
	case Have:
		if d.Has != nil {
			return [][]byte{d.has(f)}
		}
	case Note:
		var s Service
		if err := json.Unmarshal(f.Body, &s); err != nil {
			return [][]byte{trouble(err)}
		}
		if d.Note != nil {
			if err := d.Note(s.bounded()); err != nil {
				return [][]byte{trouble(err)}
			}
		}
		return [][]byte{done(Note)}
	}
	return out
}

func done(t Type) []byte { return AppendFrame(nil, Done, []byte{byte(t)}) }

func (d *Device) restart() []byte {
	switch {
	case d.Facts().State != Pending:
		return trouble(errors.New("no build waits for a start"))
	case d.Restart == nil:
		return trouble(errors.New("this device does not start again by the cable"))
	}
	if err := d.Restart(); err != nil {
		return trouble(err)
	}
	return done(Restart)
}

// Damaged is told of each damaged frame.
func (d *Device) Damaged() {
	if d.r != nil {
		d.r.Damaged()
	}
}

func (d *Device) open(f Frame) []byte {
	var o open
	if err := json.Unmarshal(f.Body, &o); err != nil {
		return trouble(err)
	}
	var sum bundle.Sum
	if b, err := hex.DecodeString(o.Sum); err != nil || copy(sum[:], b) != len(sum) {
		return trouble(errors.New("the sum is not a SHA-256"))
	}
	if err := d.Inbox.Claim(d.Who); err != nil {
		return trouble(err)
	}
	off, err := d.Inbox.Begin(o.Size, sum)
	if err != nil {
		d.Inbox.Release(d.Who)
		return trouble(err)
	}
	d.off, d.done, d.tried = off, false, false
	d.r = NewReceiver(func(b []byte) error {
		next, done, err := d.Inbox.Put(d.off, b)
		if done {
			d.done = true
			d.Inbox.Release(d.Who)
		}
		d.off = next
		return err
	})
	return AppendFrame(nil, Opened, body(opened{off}))
}

// Host is the laptop's end: it asks, chooses, sends and puts on trial.
type Host struct {
	// Choose gives what to send to a device with these facts; size 0: nothing,
	// it has the build already.
	Choose   func(Facts) (r io.ReaderAt, size int64, sum bundle.Sum, err error)
	PerFrame time.Duration // of a frame of data at the line's rate
	Facts    Facts
	Started  int64 // where the device wanted to go on

	s       *Sender
	r       io.ReaderAt
	size    int64
	stage   Type // what was asked last
	ask     []byte
	asked   time.Duration
	polled  time.Duration
	tries   int
	waiting bool
	last    uint32        // base of the sender when it last moved
	moved   time.Duration // and when that was
	done    bool
	err     error
}

// ErrSilent is a device that does not answer.
var ErrSilent = errors.New("flashwire: the device does not answer; is the cable's switch on DEVICE?")

// ErrStalled is a line on which frames leave and none arrives whole.
var ErrStalled = errors.New("flashwire: nothing arrives whole any more; try a lower rate or another cable")

// patience: questions are asked again so often, so far apart. An install reads
// two slots and may take a while.
const (
	askTries = 10
	askAgain = 500 * time.Millisecond
	doneWait = 60 * time.Second
	// stallWait: a window of data takes 69 s at 9600 baud, 6 s at 115,200.
	stallWait = 90 * time.Second
)

// Next gives the frame to send now, or when to come again. End: [Host.Done].
func (h *Host) Next(now time.Duration) (frame []byte, wake time.Duration, err error) {
	if h.err != nil {
		return nil, 0, h.err
	}
	if h.done {
		return nil, now + time.Hour, nil
	}
	if h.stage == 0 {
		h.question(Hello, nil)
	}
	if h.stage == Data {
		if h.s.base != h.last || h.moved == 0 {
			h.last, h.moved = h.s.base, now
		}
		if !h.s.Done() && now > h.moved+stallWait {
			h.err = ErrStalled
			return nil, 0, h.err
		}
		if !h.s.Done() {
			return h.s.Next(now)
		}
		if h.asked == 0 {
			h.asked, h.polled = now, now
		}
		if now > h.asked+doneWait {
			h.err = ErrSilent
			return nil, 0, h.err
		}
		// The device installs, and its Done may be lost: a poll is answered with
		// it again, and keeps the rate that was agreed on.
		if now >= h.polled+askAgain {
			h.polled = now
			return h.s.poll(), 0, nil
		}
		return nil, h.polled + askAgain, nil
	}
	if h.waiting && now < h.asked+askAgain {
		return nil, h.asked + askAgain, nil
	}
	if h.tries++; h.tries > askTries {
		h.err = ErrSilent
		return nil, 0, h.err
	}
	h.waiting, h.asked = true, now
	return h.ask, 0, nil
}

func (h *Host) question(t Type, b []byte) {
	h.stage, h.ask, h.tries, h.waiting, h.asked = t, AppendFrame(nil, t, b), 0, false, 0
}

// Done tells whether the bundle is installed and on trial.
func (h *Host) Done() bool { return h.done }

// Sender shows how far the transfer is; nil before it.
func (h *Host) Sender() *Sender { return h.s }

// Got takes a frame of the device.
func (h *Host) Got(f Frame) {
	switch {
	case f.Type == Failed:
		t := &Trouble{}
		if err := json.Unmarshal(f.Body, t); err != nil {
			t.Text = "an answer that cannot be read"
		}
		if t.Again && h.stage == Data {
			h.question(Hello, nil) // it dropped the transfer while this end slept
			return
		}
		if !t.Again {
			h.err = t
		}
	case f.Type == Info && h.stage == Hello:
		if err := json.Unmarshal(f.Body, &h.Facts); err != nil {
			h.err = err
			return
		}
		r, size, sum, err := h.Choose(h.Facts)
		switch {
		case err != nil:
			h.err = err
		case size == 0:
			h.question(Try, nil)
		default:
			h.r, h.size = r, size
			h.question(Open, body(open{size, hex.EncodeToString(sum[:])}))
		}
	case f.Type == Opened && h.stage == Open:
		var o opened
		if err := json.Unmarshal(f.Body, &o); err != nil || o.Off < 0 || o.Off > h.size {
			h.err = fmt.Errorf("flashwire: the device wants to go on at %d of %d", o.Off, h.size)
			return
		}
		h.Started, h.stage, h.asked = o.Off, Data, 0
		h.s = NewSender(h.r, o.Off, h.size, h.PerFrame)
	case f.Type == Ack && h.stage == Data:
		h.s.Got(f)
	case f.Type == Done && len(f.Body) != 1:
	case f.Type == Done && h.stage == Data && Type(f.Body[0]) == Open:
		if !h.s.Done() { // the last acknowledgement was lost, and its news are here
			h.s.Got(Frame{Ack, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, h.s.frames), h.s.order)})
		}
		h.question(Try, nil)
	case f.Type == Done && h.stage == Try && Type(f.Body[0]) == Try:
		h.done = true
	}
}
