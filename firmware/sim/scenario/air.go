package scenario

import (
	"math"
	"math/rand/v2"
	"time"

	"swipewell/firmware/sim/stage"
	"swipewell/hal"
)

// air is one way to the host as a run has it: a stage.Wire and a radio.
type air struct {
	r     *run
	first bool // the preferred one
	rnd   *rand.Rand
	again int // segments of this connection that were sent twice
	sent  int
}

// segments is how many an exchange over a connection of its own takes.
const segments = 6

// Resent is what a kernel counts.
func (a *air) Resent() (again, sent int) { return a.again, a.sent + a.again }

// usual is what an exchange takes on an ordinary day.
const usual = 700 * time.Millisecond

func (a *air) Takes(int) time.Duration { return 0 }
func (a *air) Point(string)            {}

// Dial opens the link, or says why not.
func (a *air) Dial() error {
	r := a.r
	r.pause(time.Duration(300+a.rnd.IntN(900)) * time.Millisecond)
	a.again, a.sent = 0, 0
	if p, ok := r.on("route"); ok && a.first && a.rnd.Float64() < .95 {
		_ = p
		r.pause(2 * time.Second)
		return &hal.LinkError{Cause: []hal.LinkCause{hal.CauseHostSilent, hal.CauseHostRefused, hal.CauseNoCarrier}[a.rnd.IntN(3)]}
	}
	if _, ok := r.on("sim"); ok && a.first && a.rnd.Float64() < .85 {
		r.pause(time.Second)
		return &hal.LinkError{Cause: []hal.LinkCause{hal.CauseNotRegistered, hal.CauseNoSIM, hal.CauseRefusedByNet, hal.CauseNoData}[a.rnd.IntN(4)]}
	}
	if r.jammed() && a.first && a.rnd.Float64() < .3 {
		r.pause(2 * time.Second)
		return &hal.LinkError{Cause: hal.CauseNotRegistered}
	}
	if p, ok := r.on("radio"); ok && a.first && p.level < 6 && a.rnd.Float64() < .1 {
		r.pause(3 * time.Second)
		return &hal.LinkError{Cause: hal.CauseNoSignal}
	}
	if a.rnd.Float64() < r.noise/4 {
		return &hal.LinkError{Cause: hal.CauseHostSilent}
	}
	return nil
}

func (a *air) Request([]byte) (f stage.Fate) {
	if r := a.r; r.lost(a.first) && a.rnd.Float64() < .5 {
		f.Lose = true
	}
	return f
}

func (a *air) Answer(frame []byte) (f stage.Fate) {
	r := a.r
	f.After = time.Duration(float64(usual) * math.Exp(.25*a.rnd.NormFloat64()))
	for _, p := range r.acts() {
		if p.Kind == "slow" {
			f.After = time.Duration(float64(f.After) * p.factor)
		}
	}
	if r.lost(a.first) {
		f.Lose = true
		return f
	}
	a.sent += segments
	share := r.noise / 10 // of an ordinary line
	if p, ok := r.on("loss"); ok && a.first {
		share = p.share
		switch x := a.rnd.Float64(); {
		case x < p.share/2: // a duplicate out of order
			f.Twice = true
		case x < p.share*.75: // not even the last repetition
			f.Lose = true
		}
	}
	for range segments {
		for wait := 300 * time.Millisecond; a.rnd.Float64() < share && wait < 5*time.Second; wait *= 2 {
			a.again++
			f.After += wait
		}
	}
	if f.Lose {
		return f
	}
	if r.motor() || r.jammed() && a.first && a.rnd.Float64() < .25 || a.rnd.Float64() < r.noise/5 {
		f.Flip = 1 + a.rnd.IntN(8*(len(frame)-2))
	}
	return f
}

// Signal is what the modem knows of its network.
func (a *air) Signal() hal.Signal {
	r := a.r
	s := hal.Signal{CSQ: 20 + a.rnd.IntN(8), BER: 0, Registered: true}
	if p, ok := r.on("radio"); ok {
		s.CSQ = max(int(p.level)+a.rnd.IntN(3)-1, 1)
	}
	if _, ok := r.on("sim"); ok && a.rnd.IntN(3) > 0 {
		s.Registered = false
	}
	if p, ok := r.on("jam"); ok {
		if p.Scope == "weak" {
			s.CSQ = 6 + a.rnd.IntN(8)
		}
		if r.jammed() {
			s.BER, s.Registered = min(max(int(p.level)+a.rnd.IntN(2), 5), 7), a.rnd.IntN(3) > 0
		}
	}
	if r.motor() {
		s.BER = 4 + a.rnd.IntN(3)
	}
	if a.rnd.Float64() < r.noise {
		s.CSQ = 5 + a.rnd.IntN(8)
	}
	if a.rnd.Float64() < r.noise/2 {
		s.BER = 3 + a.rnd.IntN(2)
	}
	return s
}

// lost tells whether this answer is lost.
func (r *run) lost(first bool) bool {
	if p, ok := r.on("lose"); ok && first && r.rnd.Float64() < p.share {
		return true
	}
	return r.rnd.Float64() < r.noise/3
}

// bursts: a jammer and a motor come and go.
func (r *run) burst(kind string, every, long time.Duration) bool {
	p, ok := r.on(kind)
	if !ok {
		return false
	}
	t := (r.h.Clock.Boot - p.from) % every
	return t < long
}

func (r *run) jammed() bool { return r.burst("jam", 4*time.Minute, 100*time.Second) }
func (r *run) motor() bool {
	p, ok := r.on("motor")
	return ok && r.burst("motor", r.period, time.Duration(p.seconds*float64(time.Second))) && r.rnd.Float64() < p.share
}

// pause lets time pass inside a call of the device.
func (r *run) pause(d time.Duration) {
	for end := r.h.Clock.Boot + d; r.h.Clock.Step(end); {
	}
}
