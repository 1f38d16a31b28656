package plan

import "time"

// Again is the exit status with which posd asks to be started by the loader: a
// trial, a roll back, a restart that somebody ordered.
const Again = 75

// What to do after posd has ended.
type What int

const (
	Restart  What = iota // start it again, after Pause
	Reboot               // through the loader, which counts
	PowerOff             // it was told to stop
)

func (w What) String() string { return [...]string{"restart", "reboot", "power off"}[w] }

// Crashes that a build may have before the loader decides: within Window if it
// had come up, and in all if it never did.
const (
	Crashes      = 4
	EarlyCrashes = 2
	Window       = 10 * time.Minute
)

// Ended is one end of posd.
type Ended struct {
	At     time.Duration // boottime
	Status int           // exit status; -1 a signal
	Told   What          // what it was told to stop for: PowerOff, Reboot; Restart: it was not told
	Alive  bool          // it had given a sign of life since this boot
}

// Policy decides what follows the end of posd. The zero value is a boot's.
type Policy struct{ crashes []time.Duration }

// Next is what to do, and after which pause.
func (p *Policy) Next(e Ended) (What, time.Duration) {
	switch {
	case e.Told != Restart:
		return e.Told, 0
	case e.Status == Again:
		return Reboot, 0
	}
	// Status 0 without an order is a crash too: a device does not stop by itself.
	recent := p.crashes[:0]
	for _, at := range p.crashes {
		if e.At-at < Window {
			recent = append(recent, at)
		}
	}
	p.crashes = append(recent, e.At)
	n := len(p.crashes)
	if n >= Crashes || !e.Alive && n >= EarlyCrashes {
		return Reboot, 0
	}
	return Restart, time.Second << (n - 1)
}

// Health of the program that is watched.
type Health int

const (
	Well   Health = iota
	Silent        // it has given no sign for too long: the board is to be reset
)

// Judge is the watchdog's question, asked every second: since is how long ago the
// last sign of life came, or the start if none has since then.
func (p Plan) Judge(since time.Duration, alive bool) Health {
	limit := p.Start
	if alive {
		limit = p.Life
	}
	if since > time.Duration(limit) {
		return Silent
	}
	return Well
}
