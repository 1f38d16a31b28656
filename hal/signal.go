package hal

import (
	"context"
	"time"

	"periph.io/x/conn/v3"
)

// Tone is what the device sounds like.
type Tone uint8

const (
	ToneKey Tone = iota
	ToneGood
	ToneBad
	ToneAttention
)

// Sounder makes short sounds; Sound does not block for their length.
type Sounder interface {
	conn.Resource
	Sound(t Tone) error
}

// LampState of one lamp.
type LampState uint8

const (
	LampOff LampState = iota
	LampOn
	LampBlink
)

var lampStates = [...]string{"off", "on", "blink"}

func (s LampState) String() string {
	if int(s) < len(lampStates) {
		return lampStates[s]
	}
	return "off"
}

// Lamps are the status lamps; names are the board's ("ready", "busy",
// "alarm"). An unknown name is an error.
type Lamps interface {
	conn.Resource
	Set(name string, s LampState) error
}

// Tamper watches the case.
type Tamper interface {
	conn.Resource
	// Wait blocks until the case is found open (which) or ctx ends.
	Wait(ctx context.Context) (which string, err error)
}

// Watchdog resets the board unless it is fed.
type Watchdog interface {
	conn.Resource
	Feed() error
	Timeout() time.Duration
}

// Slots are the two places of a build (A/B) and the boot record.
type Slots interface {
	conn.Resource
	Active() string // "A" or "B"
}

// ServicePort is the technician's cable: bytes, baud and lines.
type ServicePort interface {
	conn.Resource
	Read(ctx context.Context, p []byte) (int, error)
	Write(ctx context.Context, p []byte) (int, error)
	SetBaud(baud int) error
	Close() error
}
