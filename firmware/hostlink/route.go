package hostlink

import (
	"errors"
	"slices"
	"time"

	"swipewell/hal"
)

// Times of the router. A route that failed rests; the better one is taken back
// only once it has answered an echo and gone on answering for a while, so that
// a flapping line is not run after.
const (
	restFirst  = 30 * time.Second
	restMost   = 10 * time.Minute
	proveFor   = 2 * time.Minute // from the first good echo to the last
	probeEvery = time.Minute
)

// Route is one way to the acquirer: a link and a host, by their places in the
// board's order.
type Route struct{ Link, Host int }

// health of one route.
type health struct {
	fails int           // in a row
	rest  time.Duration // boottime until which it is not tried unless all rest
	since time.Duration // of the first good echo after a failure; meaningful if proving
	state routeState
}

type routeState uint8

const (
	wellRoute routeState = iota // as far as we know
	sickRoute                   // failed last
	proving                     // answered an echo since
)

// Router picks routes. It is pure: facts and times come in, an order comes out.
// All its hosts are of one context: any may have any record.
type Router struct {
	routes []Route // in order of preference: each link with each host
	health []health
	probed time.Duration // of the last probe
	any    bool          // there was one
}

// NewRouter is for so many links and hosts, all well.
func NewRouter(links, hosts int) *Router {
	r := &Router{}
	for l := range links {
		for h := range hosts {
			r.routes = append(r.routes, Route{l, h})
		}
	}
	r.health = make([]health, len(r.routes))
	return r
}

// Order is in which order routes are dialled for a request: those that are well
// first, then those whose rest is over, then the rest, so that nothing is left
// untried.
func (r *Router) Order(now time.Duration) []Route {
	rank := func(i int) int {
		h := r.health[i]
		switch {
		case h.state == wellRoute:
			return 0
		case h.state == proving:
			return 1
		case h.rest <= now:
			return 2
		}
		return 3
	}
	at := make([]int, len(r.routes))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int { return rank(a) - rank(b) })
	out := make([]Route, len(at))
	for i, n := range at {
		out[i] = r.routes[n]
	}
	return out
}

// Best is the route that a request would go by first.
func (r *Router) Best(now time.Duration) Route {
	if len(r.routes) == 0 {
		return Route{}
	}
	return r.Order(now)[0]
}

// Worked notes that a host answered by a route.
func (r *Router) Worked(x Route, now time.Duration) {
	for i := range r.routes {
		h := &r.health[i]
		if r.routes[i] != x {
			continue
		}
		h.fails = 0
		switch h.state {
		case sickRoute:
			h.state, h.since = proving, now
		case proving:
			if now-h.since >= proveFor {
				h.state = wellRoute
			}
		}
	}
}

// Failed notes that a route did not open, broke, or gave no answer. A cause
// that lies in the link itself counts for all its hosts.
func (r *Router) Failed(x Route, err error, now time.Duration) {
	whole := linkItself(err)

	for i, y := range r.routes {
		if y != x && !(whole && y.Link == x.Link) {
			continue
		}
		h := &r.health[i]
		h.fails++
		h.state = sickRoute
		h.rest = now + min(restFirst<<min(h.fails-1, 10), restMost)
	}
}

// linkItself tells that no host could have been reached by this link.
func linkItself(err error) bool {
	var le *hal.LinkError
	if !errors.As(err, &le) {
		return false
	}
	switch le.Cause {
	case hal.CauseModemSilent, hal.CauseNoSIM, hal.CauseNoSignal, hal.CauseNotRegistered, hal.CauseRefusedByNet, hal.CauseNoData,
		hal.CauseNoDialTone, hal.CauseNoCarrier, hal.CauseNoCable, hal.CauseDevice:
		return true
	}
	return false
}

// Probe is the route that an idle terminal should send an echo by now: the best
// one that is not well and whose rest is over, if it is better than the one in
// use. ok is false if there is none, or one was probed within the minute.
func (r *Router) Probe(now time.Duration) (x Route, ok bool) {
	if r.any && now-r.probed < probeEvery {
		return x, false
	}
	for i, y := range r.routes {
		switch h := r.health[i]; {
		case h.state == wellRoute:
			return x, false // nothing behind it is better
		case h.state == proving || h.rest <= now:
			r.probed, r.any = now, true
			return y, true
		}
	}
	return x, false
}

// Wake is how long until a probe may be due; ok is false if none will be.
func (r *Router) Wake(now time.Duration) (d time.Duration, ok bool) {
	if len(r.routes) < 2 {
		return 0, false
	}
	for i := range r.routes {
		h := r.health[i]
		if h.state == wellRoute {
			break
		}
		at := now
		if h.state == sickRoute {
			at = max(at, h.rest)
		}
		if r.any {
			at = max(at, r.probed+probeEvery)
		}
		if !ok || at-now < d {
			d, ok = at-now, true
		}
	}
	return d, ok
}
