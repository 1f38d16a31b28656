package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"swipewell/firmware/jail"
	"swipewell/firmware/journal"
	"swipewell/firmware/store"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// A device that sells has given up what opening it took. In order: core dumps end
// with the first line of main; with the devices open posd becomes its user and
// starts the judges' process, the only one that may start programs, and only this
// one; with the service socket open it locks the rest. ADR 0026.

// writable are the folders that posd may write to.
func (d *device) writable() []string {
	dirs := []string{d.data, d.sideDir()}
	if k := d.file.Keystore; k != nil {
		dirs = append(dirs, filepath.Dir(k.File))
	}
	return dirs
}

// settle becomes the user of the board file and starts the judges. Its errors
// keep posd from starting: a terminal that stayed root would look like one that did
// not.
func (d *device) settle() error {
	if name := d.file.Process.User; name != "" {
		u := jail.User{Name: name, Own: d.writable(), Time: d.setsClock()}
		if err := u.Become(); err != nil {
			return err
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	d.judges, err = store.StartJudges(exe, append([]string{"judges"}, d.writable()...)...)
	return err
}

// setsClock tells whether this board's wall clock is the system's, which the host's
// time sets.
func (d *device) setsClock() bool { return !d.file.Bench && d.board.SetWall != nil }

// lock closes the jail and says in the log what holds.
func (d *device) lock() {
	s := jail.Lock(jail.Rules{Write: append(append(d.writable(), d.stickDirs()...), "/dev"), Clock: d.setsClock()})
	e := journal.Event{Code: prompt.LogDevice, Source: "posd", Fields: []journal.Field{journal.Word("device", "process"), journal.Word("state", hal.Loaded.String()),
		journal.Word("driver", strings.Join(s.Holds, ", "))}}
	why := s.Missing
	if os.Geteuid() == 0 {
		why = append(why, "root still")
	}
	if len(why) > 0 {
		e.Level = slog.LevelWarn
		e.Fields = append(e.Fields, journal.Word("why", strings.Join(why, ", ")))
	}
	d.journal.Record(e)
}

// sweep has every thread take a signal: what an earlier one wrote to the signal
// stacks, which is all registers as they were, is written over with registers that
// hold nothing any more. AllThreadsSyscall signals every thread but its own, which
// signals itself; SIGURG is the runtime's, and does nothing else. ADR 0027.
func sweep() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0)
	hal.Scrub()
	unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGURG)
}

// judgesMain is the judges' process: dirs are where the judged files are.
func judgesMain(dirs []string) int {
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	lock := func() { jail.Lock(jail.Rules{Write: append(dirs, os.DevNull), Program: exe}) }
	return store.JudgesMain(os.Stdin, os.Stdout, lock, exe, "judge")
}
