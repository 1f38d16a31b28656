package hal

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/display"
)

// LoadState of a device when the board was opened; periph's three ends.
type LoadState uint8

const (
	Loaded  LoadState = iota
	Skipped           // not fitted, or not wanted
	Failed            // fitted, and did not open
)

var loadStates = [...]string{"loaded", "skipped", "failed"}

func (s LoadState) String() string { return loadStates[min(int(s), 2)] }

// DeviceReport is one line of the board's report.
type DeviceReport struct {
	Device string    `json:"device"` // the board file's section: "msr", "link.4g"
	Driver string    `json:"driver"` // "msr-serial (/dev/ttyS1)", empty if skipped
	State  LoadState `json:"-"`
	Why    string    `json:"why,omitempty"` // for Skipped and Failed
}

func (r DeviceReport) String() string {
	s := fmt.Sprintf("%-12s %-8s %s", r.Device, r.State, r.Driver)
	if r.Why != "" {
		s += " (" + r.Why + ")"
	}
	return s
}

// NamedLink is a way to the host, in order of preference.
type NamedLink struct {
	Name string
	Dialer
}

// Bench is fitted only on a board with bench = true: named points in the money
// path where a script may cut the power.
type Bench interface {
	// Point returns at once unless this point is armed; then it tells the bench
	// and never returns, since the power is about to fail.
	Point(name string)
	// StoreFault is the fault that the bench wants the next commits to meet:
	// "" none, "full", "readonly", "eio".
	StoreFault() string
	// Idle is called with how busy the terminal is, so that the bench's clock
	// can wait for it.
	SetIdle(probe func() (busy bool, stir uint64))
}

// Board is what was opened. A nil field is not fitted.
type Board struct {
	Name     string
	Bench    Bench                 // nil on a real device
	Clock    Clock                 // never nil
	SetWall  func(time.Time) error // sets the wall clock (RTC); nil: it cannot be set
	MSR      MagReader
	Chip     ChipReader
	Links    []NamedLink
	Keypad   Keypad
	Display  display.Drawer
	PINPad   PINPad
	Printer  Printer
	Sounder  Sounder
	Lamps    Lamps
	Tamper   Tamper
	Keys     KeyStore
	Service  ServicePort
	Slots    Slots
	Watchdog Watchdog
	Report   []DeviceReport
}
