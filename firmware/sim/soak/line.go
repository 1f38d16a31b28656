package soak

import (
	"math/rand/v2"
	"time"

	"swipewell/firmware/iso8583"
	"swipewell/firmware/sim/stage"
	"swipewell/hal"
)

// Faults are chances per mille, each at its own place.
type Faults struct {
	Dial      int // the line does not come up
	CutSend   int // the line breaks while a frame is being sent
	LoseReq   int // all bytes left, none arrived
	Hold      int // they arrive later, also after the link was closed
	LoseAns   int // the answer is lost
	LateAns   int // it comes after the time-out
	Double    int // it comes twice
	Mangle    int // one bit of it is wrong
	Close     int // the link is closed under an answer
	Crash     int // the power fails, at each of the places where it can
	Disk      int // a commit fails
	Paper     int // the printer fails
	Silent    int // the host neither books nor answers
	Decline   int // 51, 91, 96 and others
	BadStripe int // the swipe cannot be read
	Clock     int // the wall clock jumps
	Settle    int // the batch is settled between two orders
}

// Mixed is what a bad day is made of.
var Mixed = Faults{Dial: 20, CutSend: 8, LoseReq: 8, Hold: 6, LoseAns: 12, LateAns: 5, Double: 5, Mangle: 4, Close: 6, Crash: 2, Disk: 1, Paper: 4, Silent: 6, Decline: 20,
	BadStripe: 20, Clock: 1, Settle: 1}

// world is the line and the host behind it. It is a stage.Wire.
type world struct {
	clock  *stage.Clock
	rnd    *rand.Rand
	faults Faults
	sent   func(raw []byte) // a frame whose bytes may all have left
	down   bool             // the line is dead
	faulty int              // faults injected so far
	rate   int              // bits a second each way; 0: at once
	moved  int              // bytes both ways
}

// Takes is how long so many bytes are on the line.
func (w *world) Takes(bytes int) time.Duration {
	w.moved += bytes
	if w.rate == 0 {
		return 0
	}
	return time.Duration(bytes) * 8 * time.Second / time.Duration(w.rate)
}

// hit draws one chance.
func (w *world) hit(perMille int) bool {
	if perMille <= 0 || w.rnd.IntN(1000) >= perMille {
		return false
	}
	w.faulty++
	return true
}

// Point is a moment at which the power may fail.
func (w *world) Point(name string) {
	if w.hit(w.faults.Crash) {
		panic(stage.Crash{At: name})
	}
}

// Dial opens a link, or does not.
func (w *world) Dial() error {
	w.Point("dial")
	if w.down || w.hit(w.faults.Dial) {
		w.clock.Step(w.clock.Boot + 2*time.Second)
		return &hal.LinkError{Cause: hal.CauseNoSignal}
	}
	return nil
}

// Request is the fate of what the terminal sends.
func (w *world) Request(frame []byte) (f stage.Fate) {
	switch {
	case w.down:
		return stage.Fate{Cut: true, At: len(frame)}
	case w.hit(w.faults.CutSend):
		return stage.Fate{Cut: true, At: w.rnd.IntN(len(frame))}
	}
	if w.sent != nil {
		w.sent(frame)
	}
	switch {
	case w.hit(w.faults.LoseReq):
		f.Lose = true
	case w.hit(w.faults.Hold):
		f.Hold, f.After = true, time.Duration(1+w.rnd.IntN(60_000))*time.Millisecond
	}
	return f
}

// Answer is the fate of what the host says.
func (w *world) Answer(frame []byte) (f stage.Fate) {
	switch {
	case w.rate > 0:
	case w.down || w.hit(w.faults.LoseAns):
		f.Lose = true
	case w.hit(w.faults.LateAns):
		f.After = time.Duration(20+w.rnd.IntN(40)) * time.Second
	case w.hit(w.faults.Close):
		f.Close = true
	case w.hit(w.faults.Double):
		f.Twice = true
	case w.hit(w.faults.Mangle):
		f.Flip = 1 + w.rnd.IntN(8*(len(frame)-2))
	}
	return f
}

// stanOf reads MTI, batch and STAN out of a frame that left.
func stanOf(frame []byte) (mti uint16, batch, stan string) {
	if len(frame) < 2 {
		return 0, "", ""
	}
	f, err := iso8583.ParseFrame(frame[2:])
	var m iso8583.Message
	if err == nil {
		err = iso8583.UnionPay.Parse(&m, f.Message)
	}
	if err != nil {
		return 0, "", ""
	}
	d := m.Digits(iso8583.DEBatch)
	if len(d) < 8 {
		return 0, "", ""
	}
	return uint16(m.MTI), d[2:8], m.Digits(iso8583.DESTAN)
}
