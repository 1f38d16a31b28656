package hostlink_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/hostlink"
	"swipewell/firmware/txn"
	"swipewell/hal"
)

var (
	noCable = &hal.LinkError{Cause: hal.CauseNoCable}
	refused = &hal.LinkError{Cause: hal.CauseHostRefused}
)

// order prints routes as "1a 1b 2a 2b".
func order(rs []hostlink.Route) string {
	var s []string
	for _, r := range rs {
		s = append(s, fmt.Sprintf("%d%c", r.Link+1, 'a'+r.Host))
	}
	return strings.Join(s, " ")
}

// A story is steps at seconds: what happened, then what the order is.
func TestRouter(t *testing.T) {
	type step struct {
		at    int // seconds
		does  string
		route hostlink.Route
		err   error
		want  string
	}
	a1, b1, a2 := hostlink.Route{}, hostlink.Route{Host: 1}, hostlink.Route{Link: 1}
	for name, story := range map[string][]step{
		"all well": {{0, "", a1, nil, "1a 1b 2a 2b"}},
		"a host that refuses: its other host first, by the same link": {
			{0, "failed", a1, refused, "1b 2a 2b 1a"}},
		"a link that is dead: both of its routes rest": {
			{0, "failed", a1, noCable, "2a 2b 1a 1b"}},
		"no answer counts for the route": {
			{0, "failed", a1, errors.New("eof"), "1b 2a 2b 1a"}},
		"it is not taken back before it was good for two minutes": {
			{0, "failed", a1, noCable, "2a 2b 1a 1b"},
			{40, "worked", a1, nil, "2a 2b 1a 1b"},
			{100, "worked", a1, nil, "2a 2b 1a 1b"},
			{161, "worked", a1, nil, "1a 2a 2b 1b"}},
		"a flap begins the proof anew": {
			{0, "failed", a1, refused, "1b 2a 2b 1a"},
			{40, "worked", a1, nil, "1b 2a 2b 1a"},
			{100, "failed", a1, refused, "1b 2a 2b 1a"},
			{170, "worked", a1, nil, "1b 2a 2b 1a"},
			{280, "worked", a1, nil, "1b 2a 2b 1a"},
			{291, "worked", a1, nil, "1a 1b 2a 2b"}},
		"nothing left: those whose rest is over first, and all are tried": {
			{0, "failed", a2, noCable, "1a 1b 2a 2b"},
			{10, "failed", a1, noCable, "1a 1b 2a 2b"},
			{35, "", b1, nil, "2a 2b 1a 1b"}},
	} {
		r := hostlink.NewRouter(2, 2)
		for i, s := range story {
			now := time.Duration(s.at) * time.Second
			switch s.does {
			case "failed":
				r.Failed(s.route, s.err, now)
			case "worked":
				r.Worked(s.route, now)
			}
			if got := order(r.Order(now)); got != s.want {
				t.Errorf("%s, step %d: %s, want %s", name, i, got, s.want)
			}
		}
	}
}

// Probes: at most one a minute, only of what is better than the best that is
// well, never of a route that rests.
func TestRouterProbes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := hostlink.NewRouter(2, 2)
		rests := map[hostlink.Route]time.Duration{}
		last, any := time.Duration(0), false
		now := time.Duration(0)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			now += time.Duration(rapid.IntRange(0, 90).Draw(rt, "s")) * time.Second
			x := hostlink.Route{Link: rapid.IntRange(0, 1).Draw(rt, "link"), Host: rapid.IntRange(0, 1).Draw(rt, "host")}
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0:
				r.Failed(x, refused, now)
				rests[x] = now + 30*time.Second
			case 1:
				r.Worked(x, now)
				delete(rests, x)
			case 2:
				p, ok := r.Probe(now)
				if !ok {
					continue
				}
				if any && now-last < time.Minute {
					rt.Fatal("two probes in a minute")
				}
				if rest, is := rests[p]; is && rest > now {
					rt.Fatal("a route that rests was probed")
				}
				last, any = now, true
			}
			if got := len(r.Order(now)); got != 4 {
				rt.Fatal("a route is missing: ", got)
			}
		}
	})
}

// gate is a dialer that can be shut.
type gate struct {
	hal.Dialer
	shut  atomic.Bool
	dials atomic.Int32
}

func (g *gate) Dial(ctx context.Context, addr string) (hal.Link, error) {
	g.dials.Add(1)
	if g.shut.Load() {
		return nil, noCable
	}
	return g.Dialer.Dial(ctx, addr)
}

// A dead link fails over with one redial; when it lives again, echoes prove it
// before it is used, and a message in between is not held up.
func TestFailOverAndBack(t *testing.T) {
	first, second := &gate{}, &gate{}
	r := newRig(t, func(d hal.Dialer) hal.Dialer { first.Dialer, second.Dialer = d, d; return first })
	r.relink([]hal.NamedLink{{Name: "eth", Dialer: first}, {Name: "4g", Dialer: second}}, nil)
	echo := func() {
		t.Helper()
		if rep := r.line.Exchange(t.Context(), r.line.Echo()); rep.Kind != txn.Answered {
			t.Fatalf("echo: %v %v", rep.Kind, rep.Code)
		}
	}
	r.signOn()
	first.shut.Store(true)
	r.clock.Jump(15 * time.Second) // the kept link is closed
	r.quiet()
	first.dials.Store(0)
	second.dials.Store(0)
	echo()
	if a, b := first.dials.Load(), second.dials.Load(); a != 1 || b != 1 {
		t.Fatalf("%d and %d dials to fail over", a, b)
	}
	first.shut.Store(false)
	r.clock.Jump(11 * time.Second)
	r.quiet()
	first.dials.Store(0)
	echo() // the rest is not over: not tried
	if first.dials.Load() != 0 {
		t.Error("a resting link was dialled")
	}
	for range 8 { // echoes, one a minute at most
		r.clock.Jump(45 * time.Second)
		r.quiet()
	}
	if n := first.dials.Load(); n < 2 || n > 5 {
		t.Errorf("%d echoes in six minutes", n)
	}
	second.dials.Store(0)
	echo()
	if second.dials.Load() != 0 {
		t.Error("it did not fail back")
	}
}
