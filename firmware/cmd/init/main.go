// Command init is the first program of the device's image, and but for posd the
// only one: it loads modules, mounts, starts posd from its slot, watches over it
// and its watchdog, and takes the machine down. There is no shell. Its orders are
// the plan of the slot (package plan); see firmware/doc/image.md.
//
// Sources:
//   - KERNEL: Linux Documentation/filesystems/ramfs-rootfs-initramfs.rst;
//     Documentation/watchdog/watchdog-api.rst; Documentation/input/input.rst
//   - REBOOT: reboot(2), sync(2), wait(2)
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/firmware/image/plan"
	"swipewell/hal"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: the kernel starts this, as process 1")
		os.Exit(1)
	}
	m := &machine{clock: hal.SystemClock{}, log: newConsole()}
	what := m.run()
	m.down(what)
}

// machine is what init has in hand.
type machine struct {
	clock hal.Clock
	log   *console
	plan  plan.Plan
	slot  string
	dog   *dog
	life  chan struct{}  // signs of life
	keys  chan plan.What // orders from outside: the power key, a signal
	dead  chan unix.WaitStatus
	pid   atomic.Int64 // posd's, 0 when there is none
	// starting is held while a process is made and named, so that its end is not
	// taken before.
	starting sync.Mutex
	alive    bool // a sign of life has come since the boot
	last     time.Duration
}

// failed is how long the console shows why a boot failed, before the loader
// takes another try.
const failed = 3 * time.Second

// run is the device's life; what it gives is how it ends.
func (m *machine) run() plan.What {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := m.prepare(); err != nil {
		m.log.printf("cannot go on: %v", err)
		m.sleep(failed)
		return plan.Reboot
	}
	m.life, m.keys, m.dead = make(chan struct{}, 1), make(chan plan.What, 1), make(chan unix.WaitStatus, 1)
	watchKeys(m.keys, m.log)
	go m.reap()
	for _, r := range m.plan.Relay {
		go m.relay(r)
	}
	return m.supervise(signals)
}

// prepare makes the system that posd needs.
func (m *machine) prepare() error {
	if err := mountAll(plan.Kernel()); err != nil {
		return err
	}
	m.log.open()
	unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) // Ctrl-Alt-Del is a signal to init
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	m.slot = plan.Slot(string(cmdline))
	b, err := os.ReadFile(plan.File)
	if err != nil {
		return err
	}
	if m.plan, err = plan.Parse(b); err != nil {
		return err
	}
	m.log.printf("build %s, slot %s, %v since the kernel began", m.plan.Version, word(m.slot), uptime())
	for _, name := range m.plan.Modules {
		if err := load("/lib/modules/" + name); err != nil {
			m.log.printf("module %s: %v", name, err) // what needs it says so itself
		}
	}
	m.dog = openDog(m.plan.Watchdogs, time.Duration(m.plan.Timeout))
	m.log.printf("watchdog: %v", m.dog)
	defer m.keepFed(preparing)()
	if err := m.await(m.plan.Data.Device); err != nil {
		return err
	}
	if err := mount(m.plan.Data); err != nil {
		return fmt.Errorf("the data partition: %w", err)
	}
	if m.plan.Bench != "" {
		if err := m.await(m.plan.Bench); err != nil {
			return err
		}
		if err := unpack(m.plan.Bench, "/run/bench"); err != nil {
			return fmt.Errorf("the bench: %w", err)
		}
	}
	if err := m.streams(); err != nil {
		m.log.printf("%v", err) // what needs one says so itself
	}
	for _, s := range m.plan.Seed {
		if err := seed(s); err != nil {
			return err
		}
	}
	for _, p := range m.plan.Own {
		if err := os.Chown(p, m.plan.User, m.plan.User); err != nil {
			m.log.printf("%v", err)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("a read-only root: %w", err)
	}
	return nil
}

// preparing is how long the rest of the way to posd may take: the journal of a
// file system may be long, and is replayed in one call. Then the board resets.
const preparing = time.Minute

// keepFed feeds the watchdog in the background, for no longer than most, until
// what it gives is called.
func (m *machine) keepFed(most time.Duration) (stop func()) {
	done := make(chan struct{})
	go func() {
		for until := m.now() + most; m.now() < until; m.sleep(time.Second) {
			select {
			case <-done:
				return
			default:
				m.dog.feed()
			}
		}
	}()
	return func() { close(done) }
}

// word is a slot in a line of the log.
func word(slot string) string {
	if slot == "" {
		return "-"
	}
	return slot
}

// deviceTime is how long a device may take to appear after its module is in.
const deviceTime = 10 * time.Second

// await waits for a device.
func (m *machine) await(path string) error {
	for until := m.now() + deviceTime; ; m.sleep(20 * time.Millisecond) {
		_, err := os.Stat(path)
		if err == nil {
			return nil
		}
		if !errors.Is(err, os.ErrNotExist) || m.now() > until {
			return err
		}
	}
}

// uptime is since the kernel began; the clock of package hal begins with init.
func uptime() time.Duration {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return time.Duration(t.Nano()).Round(10 * time.Millisecond)
}

func (m *machine) now() time.Duration { return m.clock.Now().Boot }

func (m *machine) sleep(d time.Duration) {
	c, stop := hal.After(m.clock, d)
	defer stop()
	<-c
}

// reap takes every process that ends: posd's children become ours when it dies.
func (m *machine) reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for range ended {
		m.reapAll()
	}
}

func (m *machine) reapAll() {
	m.starting.Lock() // the start of a process waits for it itself if it fails
	defer m.starting.Unlock()
	for {
		var s unix.WaitStatus
		pid, err := unix.Wait4(-1, &s, unix.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
		if pid == m.child() {
			m.pid.Store(0)
			m.dead <- s
		}
	}
}

// stopTime is what posd has for its end; a commit takes milliseconds.
const stopTime = 10 * time.Second

// supervise starts posd, and decides what comes after its end.
func (m *machine) supervise(signals <-chan os.Signal) plan.What {
	var policy plan.Policy
	told := plan.Restart
	for {
		if err := m.start(); err != nil {
			m.log.printf("posd: %v", err)
			m.sleep(failed)
			return plan.Reboot
		}
		s := m.watch(signals, &told)
		e := plan.Ended{At: m.now(), Status: s.ExitStatus(), Told: told, Alive: m.alive}
		what, pause := policy.Next(e)
		m.log.printf("posd ended: %s; %v", status(s), what)
		if what != plan.Restart {
			return what
		}
		for until := m.now() + pause; m.now() < until; m.sleep(100 * time.Millisecond) {
			m.dog.feed()
		}
	}
}

func status(s unix.WaitStatus) string {
	if s.Signaled() {
		return s.Signal().String()
	}
	return fmt.Sprintf("status %d", s.ExitStatus())
}

// watch stays with a running posd until it has ended.
func (m *machine) watch(signals <-chan os.Signal, told *plan.What) unix.WaitStatus {
	first := true
	var kill <-chan struct{}
	stop := func(what plan.What) {
		if *told != plan.Restart {
			return
		}
		*told = what
		m.log.printf("stopping posd, then %v", what)
		m.signal(unix.SIGTERM)
		kill, _ = hal.After(m.clock, stopTime)
	}
	silent, killed := false, false
	for {
		tick, cancel := hal.After(m.clock, time.Second)
		select {
		case s := <-m.dead:
			cancel()
			return s
		case <-m.life:
			m.last, m.alive = m.now(), true
			if first {
				first = false
				m.log.printf("posd is alive at %v; %s", uptime(), memory(m.child()))
			}
		case what := <-m.keys:
			stop(what)
		case s := <-signals:
			if s == syscall.SIGINT {
				stop(plan.Reboot)
			} else {
				stop(plan.PowerOff)
			}
		case <-kill:
			m.log.printf("posd does not end")
			m.signal(unix.SIGKILL)
			kill, killed = nil, true // and if that does not end it, the watchdog does
		case <-tick:
		}
		cancel()
		switch {
		case killed:
			continue
		case m.plan.Judge(m.now()-m.last, !first) == plan.Well || *told != plan.Restart:
			m.dog.feed()
			continue
		}
		if !silent {
			silent = true
			m.log.printf("posd has given no sign of life for %v: the watchdog is fed no more", (m.now() - m.last).Round(time.Second))
			unix.Sync()
			if m.dog.f == nil { // no watchdog on this board: init is one
				m.signal(unix.SIGKILL)
				*told = plan.Reboot
			}
		}
	}
}

// down ends the machine. What posd wrote is on flash already; the rest is synced.
func (m *machine) down(what plan.What) {
	m.dog.feed()
	unix.Kill(-1, unix.SIGKILL) // everybody but init: posd's helpers end with it, and late ones must not write on
	unix.Sync()
	if dir := m.plan.Data.Dir; dir != "" {
		err := unix.Unmount(dir, 0)
		for i := 0; err == unix.EBUSY && i < 40; i++ {
			m.sleep(25 * time.Millisecond)
			m.dog.feed()
			err = unix.Unmount(dir, 0)
		}
		if err == unix.EBUSY {
			unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
		}
	}
	m.log.printf("%v", what)
	m.log.drain(m)
	cmd := unix.LINUX_REBOOT_CMD_RESTART
	if what == plan.PowerOff {
		m.dog.close() // a board without power must not come back by itself
		cmd = unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	err := unix.Reboot(cmd)
	m.log.printf("reboot: %v", err)
	select {} // the watchdog ends this
}

// memory is what the kernel says of all of it and of one process, in kB.
func memory(pid int) string {
	field := func(file, name string) string {
		b, _ := os.ReadFile(file)
		for _, l := range strings.Split(string(b), "\n") {
			if v, ok := strings.CutPrefix(l, name+":"); ok {
				return strings.TrimSuffix(strings.TrimSpace(v), " kB")
			}
		}
		return "?"
	}
	return fmt.Sprintf("memory kB: total %s available %s posd %s init %s", field("/proc/meminfo", "MemTotal"), field("/proc/meminfo", "MemAvailable"),
		field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS"), field("/proc/self/status", "VmRSS"))
}
