package console

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/role"
	"swipewell/firmware/role/challenge"
	"swipewell/firmware/role/lockout"
	"swipewell/hal"
)

// cable is a service port whose far end a test holds.
type cable struct {
	in  chan []byte
	mu  sync.Mutex
	out strings.Builder
	got chan struct{}
}

func newCable() *cable { return &cable{in: make(chan []byte, 8), got: make(chan struct{}, 1)} }

func (c *cable) String() string    { return "cable" }
func (c *cable) Halt() error       { return nil }
func (c *cable) Close() error      { return nil }
func (c *cable) SetBaud(int) error { return nil }

func (c *cable) Read(ctx context.Context, b []byte) (int, error) {
	select {
	case p := <-c.in:
		return copy(b, p), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (c *cable) Write(_ context.Context, b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Write(b)
	select {
	case c.got <- struct{}{}:
	default:
	}
	return len(b), nil
}

var waits = regexp.MustCompile(`(swipewell( [a-z]+#|>)|PIN:|answer:) $`)

// line types a line and gives what the console says until it waits again.
func (c *cable) line(t *testing.T, s string) string {
	t.Helper()
	c.mu.Lock()
	from := c.out.Len()
	c.mu.Unlock()
	c.in <- []byte(s + "\r")
	for {
		select {
		case <-c.got:
		case <-t.Context().Done():
			t.Fatal("the console hangs")
		}
		c.mu.Lock()
		said := c.out.String()[from:]
		c.mu.Unlock()
		if strings.Contains(said, "\n") && waits.MatchString(said) {
			return said
		}
	}
}

// desk is a device with a console, restarted at will.
type desk struct {
	t     *testing.T
	dir   string
	clock *hal.SteppedClock
	opts  Opts
	cable *cable
	end   func()
	log   *journal.Journal
}

func (d *desk) power() {
	d.t.Helper()
	if d.end != nil {
		d.end()
	}
	locks, err := lockout.Open(filepath.Join(d.dir, "lockout.json"), d.clock)
	if err != nil {
		d.t.Fatal(err)
	}
	d.opts.Locks, d.opts.Clock, d.opts.Journal = locks, d.clock, d.log
	d.cable = newCable()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); NewShell(d.cable, d.opts).Run(ctx) }()
	d.end = func() { cancel(); <-done; locks.Close() }
}

func newLogins(t *testing.T) (*desk, ed25519.PrivateKey) {
	hash, err := role.Hash("2580")
	if err != nil {
		t.Fatal(err)
	}
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	people, err := challenge.NewDesk("20260001", []challenge.Technician{{Name: "Li", Number: 7, Role: role.Technician, Key: pub}}, 5*time.Minute, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, dir: t.TempDir(), clock: hal.NewSteppedClock(nil, time.Unix(1_772_000_000, 0)), opts: Opts{Desk: people, Logins: map[Role]string{Supervisor: hash, Technician: hash}}}
	if d.log, err = journal.Open(journal.Opts{Dir: filepath.Join(d.dir, "journal"), Clock: d.clock}); err != nil {
		t.Fatal(err)
	}
	d.power()
	t.Cleanup(func() { d.end(); d.log.Close() })
	return d, priv
}

func (d *desk) login(who, answer string) string {
	d.t.Helper()
	if said := d.cable.line(d.t, "login "+who); !strings.HasSuffix(said, "PIN: ") && !strings.HasSuffix(said, "answer: ") {
		return said
	}
	return d.cable.line(d.t, answer)
}

// Brute force at the cable: of ten thousand PINs an attacker tries five in each half
// hour with the power on, whatever he does to sessions, power and the wall clock. The
// sixth is not looked at, also if it is right.
func TestBruteForceAtTheCable(t *testing.T) {
	d, _ := newLogins(t)
	for range 2 {
		for i, pin := range []string{"0000", "0001", "0002", "0003", "0004"} {
			said := d.login("supervisor", pin)
			if !strings.Contains(said, "wrong PIN") || strings.Contains(said, "locked") != (i == 4) {
				t.Fatalf("try %d: %q", i+1, said)
			}
			if i%2 == 0 {
				d.power()
			}
		}
		for _, trick := range []func(){func() {}, d.power, func() { d.clock.StepWall(72 * time.Hour) }, func() { d.clock.StepWall(-144 * time.Hour) }, func() { d.clock.Jump(29 * time.Minute) }} {
			trick()
			if said := d.login("supervisor", "2580"); !strings.Contains(said, "locked") {
				t.Fatalf("a sixth try: %q", said)
			}
		}
		d.clock.Jump(2 * time.Minute)
	}
	if said := d.login("supervisor", "2580"); !strings.Contains(said, "swipewell supervisor#") {
		t.Fatalf("after the lock: %q", said)
	}
}

// A role with a key is never asked for a PIN, though it has one; other roles than
// that of the key stay out, and its person's number is in the log.
func TestKeyBeforePIN(t *testing.T) {
	d, priv := newLogins(t)
	said := d.cable.line(t, "login technician")
	text := regexp.MustCompile(`SWC1\.\S+`).FindString(said)
	if text == "" || strings.Contains(said, "PIN") {
		t.Fatalf("%q", said)
	}
	answer, err := challenge.Sign(text, priv)
	if err != nil {
		t.Fatal(err)
	}
	if said = d.cable.line(t, answer); !strings.Contains(said, "swipewell technician#") {
		t.Fatalf("%q", said)
	}
	if said = d.login("engineer", "2580"); !strings.Contains(said, "no such role") || !strings.Contains(said, "logged out") {
		t.Errorf("a role that nobody has: %q", said)
	}
	for i := range lockout.MaxWrong {
		if said := d.login("technician", answer); strings.Contains(said, "technician#") || strings.Contains(said, "locked") != (i == lockout.MaxWrong-1) {
			t.Fatalf("the old answer, time %d: %q", i+1, said)
		}
	}
	es, err := d.log.Query(journal.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range es {
		all = append(all, e.Text())
	}
	log := strings.Join(all, "\n")
	for _, want := range []string{"do=login role=technician who=7 ok=true", "do=logout role=technician who=7", "why=used"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "2580") || strings.Contains(log, "SWR1") {
		t.Error("what was typed is in the log")
	}
}
