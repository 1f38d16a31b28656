package world

import (
	"os/exec"
	"syscall"
	"time"
)

// Machine makes a whole device, such as a virtual one.
type Machine interface {
	// Command is the process whose end is the power's end, not started yet. The
	// board file and what it names are in dir; what the device logs comes on
	// standard error.
	Command(dir string) (*exec.Cmd, error)
	// Stop asks the device to shut down, as a power key does.
	Stop(*exec.Cmd) error
	// Slots is where its slots and its boot record lie, as lines of the board file's
	// [update]; "" if it has none.
	Slots() string
}

// device is the process that is the device.
func (w *World) device() (*exec.Cmd, error) {
	if w.o.Machine != nil {
		return w.o.Machine.Command(w.o.Dir)
	}
	return w.program(), nil
}

// startTime is how long the first screen may take, before patience: a machine's
// loader may try a build that hangs.
func (w *World) startTime() time.Duration {
	if w.o.Machine != nil {
		return 75 * time.Second
	}
	return 20 * time.Second
}

// patience is a limit of real time for this device: a virtual machine that
// translates every instruction is several times slower than this one.
func (w *World) patience(limit time.Duration) time.Duration {
	if w.o.Machine != nil {
		return 4 * limit
	}
	return limit
}

// stopTime is how long the end may take.
func (w *World) stopTime() time.Duration {
	if w.o.Machine != nil {
		return 40 * time.Second
	}
	return 10 * time.Second
}

// tellToStop asks the device to end.
func (w *World) tellToStop(cmd *exec.Cmd) error {
	if w.o.Machine != nil {
		return w.o.Machine.Stop(cmd)
	}
	return cmd.Process.Signal(syscall.SIGTERM)
}
