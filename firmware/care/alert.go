package care

import (
	"fmt"
	"slices"
)

// Route is who must hear of an alert.
type Route string

const (
	Merchant    Route = "merchant"
	Acquirer    Route = "acquirer"
	Maintenance Route = "maintenance"
	Security    Route = "security"
)

// Alert is one thing that somebody must look at. It stays queued until whoever it
// is for has taken it over the service socket, and open until a person at the
// device has said so.
type Alert struct {
	N      int      `json:"n"`
	Kind   string   `json:"kind"` // of text: "odd", "rule", "fault"
	Key    string   `json:"key"`  // the same thing has the same: "odd.m.repeats", "rule.R14"
	Route  Route    `json:"route"`
	Grave  int      `json:"grave"` // 1..3
	At     int64    `json:"at"`    // Unix seconds, of the first
	Last   int64    `json:"last"`
	Count  int      `json:"count"`
	Facts  []string `json:"facts,omitempty"`
	Taken  int64    `json:"taken,omitempty"` // when its route took it: the receipt
	Acked  int64    `json:"acked,omitempty"`
	By     uint8    `json:"by,omitempty"` // the operator who acknowledged it
	Raised bool     `json:"raised,omitempty"`
}

// Open alerts wait for a person.
func (a Alert) Open() bool { return a.Acked == 0 }

// No is the number that people name.
func (a Alert) No() string { return fmt.Sprintf("A-%04d", a.N) }

// Bus keeps alerts. The zero value is empty.
type Bus struct {
	list []*Alert
}

const (
	again     = 3600    // the same thing within an hour is one alert
	escalate  = 15 * 60 // unacknowledged so long: somebody else hears of it
	mostAlert = 200
)

// Load takes alerts as they were kept.
func (b *Bus) Load(list []Alert) {
	b.list = b.list[:0]
	for i := range list {
		b.list = append(b.list, &list[i])
	}
	slices.SortFunc(b.list, func(x, y *Alert) int { return x.N - y.N })
}

// Raise notes that something happened. It gives the alert as it now is, and
// whether it is a new one; drop is a number that must go for it, 0 none.
func (b *Bus) Raise(kind, key string, to Route, grave int, wall int64, facts ...string) (a Alert, fresh bool, drop int) {
	for i := len(b.list) - 1; i >= 0; i-- {
		if x := b.list[i]; x.Kind == kind && x.Key == key && wall-x.Last < again && (x.Open() || wall-x.Acked < again) {
			x.Count++
			x.Last, x.Facts = wall, facts
			return *x, false, 0
		}
	}
	n := 1
	if k := len(b.list); k > 0 {
		n = b.list[k-1].N + 1
	}
	x := &Alert{N: n, Kind: kind, Key: key, Route: to, Grave: grave, At: wall, Last: wall, Count: 1, Facts: facts}
	b.list = append(b.list, x)
	if len(b.list) > mostAlert {
		// The oldest that is done with goes first; what waits for somebody stays.
		i := slices.IndexFunc(b.list, func(a *Alert) bool { return !a.Open() && a.Taken != 0 })
		drop = b.list[max(i, 0)].N
		b.list = slices.Delete(b.list, max(i, 0), max(i, 0)+1)
	}
	return *x, true, drop
}

// Stands tells that somebody has been told today of what lasts, or is still to
// look at it.
func (b *Bus) Stands(key string, wall int64) bool {
	return slices.ContainsFunc(b.list, func(a *Alert) bool { return a.Key == key && (a.Open() || wall-a.At < 86400) })
}

// Due raises what nobody acknowledged in time: graver by one, and the acquirer
// hears of a merchant's.
func (b *Bus) Due(wall int64) (changed []Alert) {
	for _, x := range b.list {
		if !x.Open() || x.Raised || wall-x.At < escalate {
			continue
		}
		x.Raised, x.Grave, x.Taken = true, min(x.Grave+1, 3), 0
		if x.Route == Merchant {
			x.Route = Acquirer
		}
		changed = append(changed, *x)
	}
	return changed
}

// Ack acknowledges the oldest open one; ok is false if there is none.
func (b *Bus) Ack(wall int64, by uint8) (a Alert, ok bool) {
	for _, x := range b.list {
		if x.Open() {
			x.Acked, x.By = max(wall, 1), by
			return *x, true
		}
	}
	return a, false
}

// Waiting are those that their routes have not taken.
func (b *Bus) Waiting() (list []Alert) {
	for _, x := range b.list {
		if x.Taken == 0 {
			list = append(list, *x)
		}
	}
	return list
}

// Take is the receipt of a route; ok is false if there is no such alert.
func (b *Bus) Take(n int, wall int64) (a Alert, ok bool) {
	for _, x := range b.list {
		if x.N == n {
			if x.Taken == 0 {
				x.Taken = max(wall, 1)
			}
			return *x, true
		}
	}
	return a, false
}

// OpenN is how many wait for a person.
func (b *Bus) OpenN() (n int) {
	for _, x := range b.list {
		if x.Open() {
			n++
		}
	}
	return n
}

// All are all of them, the oldest first.
func (b *Bus) All() (list []Alert) {
	for _, x := range b.list {
		list = append(list, *x)
	}
	return list
}

// WatchPage is this hour against what is usual, and the alerts. THROTTLE §1 S4, S16.
func (b *Bus) WatchPage(u *Usual, wall int64) (page []Line) {
	if u.days < 14 {
		page = append(page, say("watch.learning", num(u.days)))
	}
	for m := range metrics {
		n, mean, known := u.Now(wall, m)
		if !known {
			if n > 0 {
				page = append(page, say("watch.new", "@"+m.Key(), num(n)))
			}
			continue
		}
		key := "watch.row"
		if slices.ContainsFunc(u.Odds(wall), func(o Odd) bool { return o.Metric == m }) {
			key = "watch.odd"
		}
		page = append(page, say(key, "@"+m.Key(), num(n), fmt.Sprintf("%.1f", mean)))
	}
	if len(b.list) == 0 {
		return append(page, say("alert.none"))
	}
	page = append(page, say("alert.head", num(b.OpenN()), num(len(b.Waiting()))))
	for i := len(b.list) - 1; i >= 0 && i >= len(b.list)-20; i-- {
		page = append(page, b.list[i].lines()...)
	}
	return page
}

func (a *Alert) lines() []Line {
	state := "alert.queued"
	if a.Taken != 0 {
		state = "alert.taken"
	}
	who := "alert.open"
	if !a.Open() {
		who = "alert.acked"
	}
	f := append(slices.Clone(a.Facts), "", "", "")
	return []Line{
		say("alert.row", a.No(), date(a.At), num(a.Count)),
		say("a."+a.Kind, f[0], f[1], f[2]),
		say("alert.state", "@route."+string(a.Route), "@"+state, "@"+who),
	}
}
