package main

import (
	"testing"

	"swipewell/firmware/console"
	"swipewell/firmware/role"
	"swipewell/firmware/smp"
)

// TestAllowed: what SMP may do without anybody at the console, with whom, and
// while a build waits for its trial.
func TestAllowed(t *testing.T) {
	const nobody = console.Role("")
	everybody := []console.Role{nobody, role.Cashier, role.Engineer, role.Technician, role.Supervisor}
	staff := everybody[3:]
	for _, c := range []struct {
		name    string
		group   uint16
		command uint8
		pending bool
		who     []console.Role
	}{
		{"echo", smp.GroupOS, 0, false, everybody},
		{"parameters", smp.GroupOS, 6, false, everybody},
		{"info", smp.GroupOS, 7, false, everybody},
		{"datetime", smp.GroupOS, 4, false, staff},
		{"reset", smp.GroupOS, 5, false, staff},
		{"reset for a trial", smp.GroupOS, 5, true, everybody},
		{"datetime while one waits", smp.GroupOS, 4, true, staff},
		{"image state", smp.GroupImage, 0, false, everybody},
		{"upload", smp.GroupImage, 1, false, everybody},
		{"erase", smp.GroupImage, 5, false, staff},
		{"stat", smp.GroupStat, 0, false, everybody},
		{"download", smp.GroupFS, 0, false, everybody[2:]},
		{"download while one waits", smp.GroupFS, 0, true, everybody[2:]},
		{"shell", smp.GroupShell, 0, false, staff},
		{"a group that is not there", 64, 0, false, staff},
	} {
		for _, who := range everybody {
			want := false
			for _, w := range c.who {
				want = want || w == who
			}
			if got := allowed(smp.Header{Group: c.group, Command: c.command}, who, c.pending); got != want {
				t.Errorf("%s by %q: %v", c.name, who, got)
			}
		}
	}
}
