package scenario

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/terminal"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
	"swipewell/hal"
)

// Opts of a run.
type Opts struct {
	Seed  uint64
	Noise float64 // 0..1: share of what is seen that is wrong by itself
	Dir   string  // on a RAM disk
	// Other, if not nil, begins late and weakly: a compound run.
	Other *Spec
	// Trace, if not nil, gets a line for each screen and act.
	Trace io.Writer
}

// Outcome is what a run showed.
type Outcome struct {
	Spec      string
	Merchant  string
	Compound  string // id of the other scenario, "" none
	Ranking   diagnose.Ranking
	Waits     bool          // a right answer is waited for
	First     time.Duration // from the first act to the first right and sure answer; -1 never
	Missing   bool          // none of the required codes was shown
	Forbidden []string      // what was shown or done, and must not be
	Shown     map[string]int
	Customers int
	Approved  int
	Events    int
}

// run is one scenario under way.
type run struct {
	drawn
	o       Opts
	h       *stage.House
	rnd     *rand.Rand
	noise   float64
	win     *diagnose.Window
	version string
	period  time.Duration
	slowFor time.Duration // the next commits take so long
	failing bool          // the next commit fails
	learned throttle.Learned
	out     Outcome
	cards   []acquirer.Card
	made    int
	agenda  []entry
	acting  bool // what is served now belongs to the scenario
	serves  visit
	history map[string][]payment // of each card
	done    time.Duration        // when the last act ended
	orders  int
	lastSay string
}

// entry is something that happens at a time.
type entry struct {
	at time.Duration
	do func() error
}

// Run plays one scenario.
func Run(s Spec, o Opts) (out Outcome, err error) {
	rnd := rand.New(rand.NewPCG(o.Seed, 0x5ce))
	r := &run{drawn: draw(s, o.Other, rnd), o: o, rnd: rnd, noise: o.Noise, win: &diagnose.Window{}, version: "1.0", history: map[string][]payment{}}
	for _, p := range r.drawn.acts {
		if p.Kind == "motor" {
			r.period = time.Duration(p.gap.draw(rnd) * float64(time.Second))
		}
	}
	r.out = Outcome{Spec: s.ID, Merchant: r.merchant, Waits: s.Top != "NONE", First: -1, Shown: map[string]int{}}
	if o.Other != nil {
		r.out.Compound = o.Other.ID
	}
	dir, err := os.MkdirTemp(o.Dir, "swipewell-scenario-")
	if err != nil {
		return out, err
	}
	r.learn()
	rules := throttle.Default()
	profile := r.merchant
	if profile == "fair" {
		profile = "ticket"
	}
	if n, err := rules.WithProfile(profile); err == nil {
		rules = n
	}
	if n, err := rules.WithText("keyed", "profile keyed for default version 1\nsettings {\n keyed: optional\n}\n"); err == nil {
		rules = n
	}
	rules.Set.Limit = r.m.limit
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, pos.CST)
	wires := []stage.NamedWire{{Name: "4g", Wire: &air{r: r, first: true, rnd: rand.New(rand.NewPCG(o.Seed, 0xa1))}}}
	if slices.ContainsFunc(r.drawn.acts, func(p part) bool { return p.Kind == "route" }) || rnd.IntN(4) == 0 {
		wires = append(wires, stage.NamedWire{Name: "eth", Wire: &cable{&air{r: r, rnd: rand.New(rand.NewPCG(o.Seed, 0xa2))}}})
	}
	h, err := stage.New(stage.Opts{Dir: dir, Seed: o.Seed, Wires: wires, Wall: day.Add(time.Duration(r.hour)*time.Hour + time.Duration(rnd.IntN(60))*time.Minute), Rules: rules, Minutes: true,
		Bench: eyes{r}, Board: func(b *hal.Board) { b.PINPad, b.Display = stage.NoPIN{}, eyes{r} },
		Profile: func(p *txn.Profile) { p.MaxOpen = 8 },
		Term: func(t *terminal.Opts) {
			t.Window, t.Version = r.win, r.version
			t.Base = func(b *diagnose.Base) {
				b.PerHour, b.Trip, b.Limit = r.m.perHour, float64(usual/time.Millisecond), r.m.limit
				b.Odd = r.hour < 6
			}
		}})
	if err != nil {
		os.RemoveAll(dir)
		return out, err
	}
	r.h = h
	defer h.Close()
	if err := r.play(); err != nil {
		return r.out, fmt.Errorf("%s seed %d: %w", s.ID, o.Seed, err)
	}
	return r.out, nil
}

func (r *run) trace(format string, a ...any) {
	if r.o.Trace != nil {
		fmt.Fprintf(r.o.Trace, "%9.1f  %s\n", r.h.Clock.Boot.Seconds(), fmt.Sprintf(format, a...))
	}
}

// cable is a wire without a radio.
type cable struct{ stage.Wire }

// learn is what the shop's own past says.
func (r *run) learn() {
	q := func(z float64) int64 { return int64(100 * r.m.median * math.Exp(r.m.spread*z)) }
	l := throttle.Learned{P90: q(1.28), P95: q(1.64), P99: q(2.33), MedianHour: int64(100 * r.m.perHour * r.m.median), Days: 60}
	for h := range 168 {
		if hour := h % 24; hour >= 7 && hour < 23 {
			l.Hours[h/64] |= 1 << (h % 64)
		}
	}
	r.learned = l
}

// play lives the run: background customers, and the acts between them.
func (r *run) play() error {
	var berr error
	if err := r.h.Do(func() { berr = r.h.Boot() }); err != nil || berr != nil {
		return errors.Join(err, berr)
	}
	r.h.Term.Book().Learn(r.learned)
	for i := range r.drawn.acts {
		r.schedule(&r.drawn.acts[i])
	}
	slices.SortStableFunc(r.agenda, func(a, b entry) int { return int((a.at - b.at) / time.Millisecond) })
	next := r.arrival(0)
	for r.h.Clock.Boot < r.length {
		if len(r.agenda) == 0 && !r.lasting() && r.h.Clock.Boot > r.done+aftermath {
			break
		}
		for len(r.agenda) > 0 && r.agenda[0].at <= r.h.Clock.Boot {
			e := r.agenda[0]
			r.agenda = r.agenda[1:]
			r.acting = true
			err := e.do()
			if r.acting = false; err != nil {
				return err
			}
			r.done = r.h.Clock.Boot
			r.look()
		}
		if next <= r.h.Clock.Boot {
			if err := r.customer(); err != nil {
				return err
			}
			r.look()
			next = r.arrival(next)
			continue
		}
		to := min(next, r.length)
		if len(r.agenda) == 0 && !r.lasting() {
			to = min(to, r.done+aftermath+time.Millisecond)
		}
		if len(r.agenda) > 0 {
			to = min(to, max(r.agenda[0].at, r.h.Clock.Boot+time.Millisecond))
		}
		if err := r.h.Wait(max(to-r.h.Clock.Boot, time.Millisecond)); err != nil {
			return err
		}
	}
	r.look()
	r.out.Ranking = r.rank()
	r.trace("seen: %v", r.out.Ranking)
	r.out.Missing = len(r.spec.Require) > 0 && !slices.ContainsFunc(r.spec.Require, func(want string) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(r.out.Shown)), func(code string) bool { return strings.HasPrefix(code, want) })
	})
	return r.books()
}

// aftermath is how long a run goes on when all that could happen has: the
// question is what was wrong, not what was wrong an hour ago.
const aftermath = 3 * time.Minute

// lasting tells whether something goes on until the end of the run.
func (r *run) lasting() bool {
	return len(r.drawn.acts) == 0 || slices.ContainsFunc(r.drawn.acts, func(p part) bool { return lasts[p.Kind] })
}

func (r *run) rank() (k diagnose.Ranking) {
	r.h.Do(func() { k = r.h.Term.Rank() })
	return k
}

// look notes when the right answer was first there.
func (r *run) look() {
	r.h.Term.Book().Learn(r.learned) // a restart forgets it: it is learned from weeks
	if r.out.First >= 0 || !r.out.Waits {
		return
	}
	onset := time.Duration(1 << 62)
	for _, p := range r.drawn.acts {
		if !p.side {
			onset = min(onset, p.from)
		}
	}
	if r.h.Clock.Boot < onset {
		return
	}
	if k := r.rank(); k.Sure && r.spec.Accepts(k.Top[0].Row.Cause) {
		r.out.First = r.h.Clock.Boot - onset
	}
}

// arrival is when the next customer comes.
func (r *run) arrival(last time.Duration) time.Duration {
	rate := r.m.perHour
	if p, ok := r.on("peak"); ok {
		rate *= p.factor
	}
	return max(last, r.h.Clock.Boot-5*time.Second) + time.Duration(r.rnd.ExpFloat64()*float64(time.Hour)/rate)
}

// acts are those under way.
func (r *run) acts() (on []part) {
	for _, p := range r.drawn.acts {
		if now := r.h.Clock.Boot; p.from <= now && now < p.until {
			on = append(on, p)
		}
	}
	return on
}

func (r *run) on(kind string) (part, bool) {
	for _, p := range r.drawn.acts {
		if p.Kind == kind && p.from <= r.h.Clock.Boot && r.h.Clock.Boot < p.until {
			return p, true
		}
	}
	return part{}, false
}

// books holds the host's against the device's: nothing double, nothing lost.
func (r *run) books() error {
	if r.h.State().Phase == txn.Halted {
		return nil
	}
	if err := r.h.Wait(6 * time.Minute); err != nil {
		return err
	}
	rows := map[string]bool{}
	recs, err := r.h.Store.Records()
	if err != nil {
		return err
	}
	for _, rec := range recs {
		rows[rec.STAN.String()] = true
	}
	for _, e := range r.h.Host.Books() {
		if !e.Booked || e.ReversedBy != 0 || e.Kind == acquirer.KindReversal {
			continue
		}
		row, err := r.h.Store.Sale(pos.RecordID{Context: "stage", Batch: e.Batch, STAN: e.STAN})
		if !rows[e.STAN.String()] && (err != nil || row.Amount.Minor != e.Amount) {
			r.forbidden("the host booked %s of which the device knows nothing", e.STAN)
		}
	}
	return nil
}

// eyes are the display and the bench: what is shown is held against what must
// not be.
type eyes struct{ r *run }

func (eyes) String() string                                       { return "scenario eyes" }
func (eyes) Halt() error                                          { return nil }
func (eyes) ColorModel() color.Model                              { return color.RGBAModel }
func (eyes) Bounds() image.Rectangle                              { return image.Rect(0, 0, 320, 240) }
func (eyes) Draw(image.Rectangle, image.Image, image.Point) error { return nil }
func (eyes) Point(string)                                         {}
func (eyes) SetIdle(func() (bool, uint64))                        {}

// StoreFault is what the next commit meets.
func (e eyes) StoreFault() string {
	r := e.r
	if r.slowFor > 0 {
		d := r.slowFor
		r.slowFor = 0
		r.h.Clock.Boot += d
	}
	if r.failing {
		r.failing = false
		return "eio"
	}
	return ""
}

// wanted tells that the other shape of a compound run asks for this code: what is
// right for it is not wrong for the first.
func (r *run) wanted(code string) bool {
	return r.o.Other != nil && slices.ContainsFunc(r.o.Other.Require, func(want string) bool { return strings.HasPrefix(code, want) })
}

// Caption hears every screen.
func (e eyes) Caption(c hal.Caption) error {
	r := e.r
	codes := c.Code
	if n := len(c.Lines); n > 0 {
		codes = c.Lines[n-1]
	}
	if codes == r.lastSay {
		return nil
	}
	r.lastSay = codes
	r.trace("shows %s", strings.Join(append([]string{c.Code}, c.Lines...), " | "))
	for _, code := range strings.Fields(codes) {
		r.out.Shown[code]++
		for _, f := range r.spec.Forbid {
			if strings.HasPrefix(code, f) && r.acting && !r.wanted(code) {
				r.forbidden("%s was shown", code)
			}
		}
		r.fair(code)
	}
	for _, l := range c.Lines {
		if strings.Contains(l, "未扣款") {
			r.proven(codes)
		}
	}
	return nil
}
