package lockout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/hal"
)

// clock is virtual time whose timers run in place.
type clock struct {
	wall  time.Time
	boot  time.Duration
	timer map[int]*timer
	seq   int
}

type timer struct {
	due time.Duration
	f   func()
}

func newClock() *clock {
	return &clock{wall: time.Unix(1_772_000_000, 0), timer: map[int]*timer{}}
}

func (c *clock) Now() hal.Instant { return hal.Instant{Wall: c.wall.Add(c.boot), Boot: c.boot} }

func (c *clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.seq++
	id := c.seq
	c.timer[id] = &timer{c.boot + d, f}
	return func() bool { _, ok := c.timer[id]; delete(c.timer, id); return ok }
}

func (c *clock) Jump(d time.Duration) {
	for end := c.boot + d; ; {
		first := 0
		for id, t := range c.timer {
			if t.due <= end && (first == 0 || t.due < c.timer[first].due) {
				first = id
			}
		}
		if first == 0 {
			c.boot = end
			return
		}
		t := c.timer[first]
		delete(c.timer, first)
		c.boot = t.due
		t.f()
	}
}

func (c *clock) step(d time.Duration) { c.wall = c.wall.Add(d) }

// bench is a device whose power can be cut: the file stays, boottime begins anew.
type bench struct {
	t     testing.TB
	path  string
	clock *clock
	l     *Locks
}

func newBench(t testing.TB, dir string) *bench {
	b := &bench{t: t, path: filepath.Join(dir, "lockout.json")}
	b.power()
	return b
}

func (b *bench) power() {
	b.t.Helper()
	b.clock = newClock()
	var err error
	if b.l, err = Open(b.path, b.clock); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) wrong(role string, n int) (left time.Duration) {
	b.t.Helper()
	for range n {
		var err error
		if left, err = b.l.Wrong(role); err != nil {
			b.t.Fatal(err)
		}
	}
	return left
}

func TestFiveAndNoMore(t *testing.T) {
	b := newBench(t, t.TempDir())
	if left := b.wrong("technician", 4); left != 0 {
		t.Errorf("locked after four: %v", left)
	}
	b.power()
	if left := b.wrong("technician", 1); left != Time {
		t.Errorf("the fifth, after a power cut: %v", left)
	}
	if b.l.Left("supervisor") != 0 {
		t.Error("another role waits, too")
	}
	b.clock.Jump(10 * time.Minute)
	b.power()
	if left := b.l.Left("technician"); left != 20*time.Minute {
		t.Errorf("after ten minutes and a power cut: %v", left)
	}
	b.clock.step(48 * time.Hour) // the wall is set
	if left := b.l.Left("technician"); left != 20*time.Minute {
		t.Errorf("after a clock step: %v", left)
	}
	b.clock.step(-96 * time.Hour)
	b.clock.Jump(20*time.Minute - time.Second)
	if b.l.Left("technician") != time.Second {
		t.Errorf("a second early: %v", b.l.Left("technician"))
	}
	b.clock.Jump(time.Second)
	if b.l.Left("technician") != 0 {
		t.Error("and never again")
	}
	// It has five tries again, not one.
	if left := b.wrong("technician", 4); left != 0 {
		t.Errorf("%v", left)
	}
	if err := b.l.Right("technician"); err != nil {
		t.Fatal(err)
	}
	if left := b.wrong("technician", 4); left != 0 {
		t.Errorf("a right one did not begin anew: %v", left)
	}
}

// The right one of one role gives another no new tries.
func TestRolesCountApart(t *testing.T) {
	b := newBench(t, t.TempDir())
	for range 4 {
		b.wrong("supervisor", 1)
		b.l.Right("cashier")
	}
	if b.wrong("supervisor", 1) == 0 {
		t.Error("not locked")
	}
}

// A file that cannot be read locks everybody; one that cannot be written as well.
func TestFailsClosed(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "lockout.json")
	for _, bad := range []string{"", "{}", `{"version":1,"roles":[{"role":"technician","wrong":0,"left":0}],"sum":1}`} {
		os.WriteFile(p, []byte(bad), 0o600)
		l, err := Open(p, newClock())
		if err == nil || l.Left("technician") != Time || l.Left("cashier") != Time {
			t.Errorf("%q: %v %v", bad, l.Left("technician"), err)
		}
		l.Close()
	}
	b := newBench(t, filepath.Join(dir, "gone"))
	if _, err := b.l.Wrong("technician"); err == nil || b.l.Left("technician") == 0 {
		t.Errorf("not counted, and allowed: %v", err)
	}
	os.Mkdir(filepath.Join(dir, "gone"), 0o700)
	if b.l.Left("technician") != 0 {
		t.Error("and not once it can be counted again")
	}
	b.power()
	if left := b.wrong("technician", 4); left != Time {
		t.Errorf("the try that could not be written first is forgotten: %v", left)
	}
}

// Brute force: whatever an attacker does with tries, power, waiting and the wall
// clock, he has no more than five tries in each half hour with the power on.
func TestBruteForce(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		os.Remove(filepath.Join(dir, "lockout.json"))
		b := newBench(t, dir)
		defer func() { b.l.Close() }()
		tries, on := 0, time.Duration(0)
		for range rapid.IntRange(15, 40).Draw(r, "steps") {
			switch rapid.IntRange(0, 9).Draw(r, "what") {
			case 0:
				b.l.Close()
				b.power()
			case 1:
				d := time.Duration(rapid.IntRange(1, 900).Draw(r, "seconds")) * time.Second
				b.clock.Jump(d)
				on += d
			case 2:
				b.clock.step(time.Duration(rapid.IntRange(-1e6, 1e6).Draw(r, "step")) * time.Second)
			default:
				if b.l.Left("technician") == 0 {
					tries++
					b.wrong("technician", 1)
				}
			}
		}
		if most := MaxWrong * (1 + int(on/Time)); tries > most {
			r.Fatalf("%d tries in %v, at most %d", tries, on, most)
		}
	})
}

func FuzzParse(f *testing.F) {
	b := newBench(f, f.TempDir())
	b.wrong("technician", 7)
	good, _ := os.ReadFile(b.path)
	f.Add(string(good))
	f.Fuzz(func(t *testing.T, s string) {
		x, err := parse([]byte(s))
		if err == nil && (x.Version != 1 || strings.TrimSpace(s) == "") {
			t.Error("taken")
		}
	})
}
