package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// dog is the board's watchdog. KERNEL, watchdog-api.rst.
type dog struct {
	f    *os.File // nil: there is none
	name string
	t    time.Duration
}

// openDog takes the first watchdog that opens: from then on the board resets
// unless it is fed.
func openDog(paths []string, timeout time.Duration) *dog {
	for _, p := range paths {
		f, err := os.OpenFile(p, os.O_WRONLY, 0)
		if err != nil {
			continue
		}
		s := int(timeout / time.Second)
		// The driver may know only some times; it says which it took.
		if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.WDIOC_SETTIMEOUT, s); err == nil {
			if took, err := unix.IoctlGetInt(int(f.Fd()), unix.WDIOC_GETTIMEOUT); err == nil {
				s = took
			}
		}
		d := &dog{f: f, name: p, t: time.Duration(s) * time.Second}
		d.feed()
		return d
	}
	return &dog{}
}

func (d *dog) feed() {
	if d != nil && d.f != nil {
		d.f.Write([]byte{0})
	}
}

// close lets the watchdog rest, by the letter that means it.
func (d *dog) close() {
	if d != nil && d.f != nil {
		d.f.Write([]byte{'V'})
		d.f.Close()
	}
}

func (d *dog) String() string {
	if d.f == nil {
		return "none"
	}
	id, _ := os.ReadFile("/sys/class/watchdog/" + d.f.Name()[len("/dev/"):] + "/identity")
	return fmt.Sprintf("%s, %v %s", d.name, d.t, string(trimLine(id)))
}

func trimLine(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return b
}
