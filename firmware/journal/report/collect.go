package report

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/throttle"
	"swipewell/ui/prompt"
)

// stageOrder are the stages of a payment as they follow one another.
var stageOrder = []string{"keying", "await-card", "reading", "confirming", "entering-pin", "preparing", "dial", "send", "wait", "chip", "print"}

// mostSamples bounds what a plot keeps of a kind; the youngest stay.
const mostSamples = 100_000

// Report is what was counted. The zero value is empty.
type Report struct {
	Zone     *time.Location // nil means the device's
	From, To time.Time
	Entries  int

	stages   map[string][]time.Duration
	signal   [24][]int
	classes  map[string]int
	swipes   [24]int
	stops    [24]int
	actions  map[string]int
	readers  map[string]int
	readBad  [24]int
	queue    []depth
	payments int
	approved int
	unknown  int
}

type depth struct {
	at time.Time
	n  int
}

// classOf names the class of a response code, as the rules of the build have it.
var classOf = func() map[string]string {
	m := map[string]string{}
	for _, c := range throttle.Default().Classes {
		for _, rc := range c.RCs {
			m[rc.String()] = c.Name
		}
	}
	return m
}()

func (r *Report) hour(t time.Time) int {
	if r.Zone == nil {
		return t.In(pos.CST).Hour()
	}
	return t.In(r.Zone).Hour()
}

func count(m *map[string]int, key string) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key]++
}

// Add takes an entry.
func (r *Report) Add(e journal.Entry) {
	r.Entries++
	if r.From.IsZero() || e.Wall.Before(r.From) {
		r.From = e.Wall
	}
	if e.Wall.After(r.To) {
		r.To = e.Wall
	}
	str := func(key string) string { s, _ := e.Get(key).(string); return s }
	h := r.hour(e.Wall)
	switch e.Code {
	case prompt.LogPath:
		for _, f := range e.Fields {
			r.stage(f.Key, f.Value)
		}
	case prompt.LogSent:
		n, _ := e.Get("queue").(int64)
		r.queue = append(r.queue, depth{e.Wall, int(n)})
	case prompt.LogAnswer:
		for _, k := range []string{"dial", "send", "wait"} {
			r.stage(k, str(k))
		}
		if n, err := strconv.Atoi(str("csq")); err == nil && n <= 31 {
			r.signal[h] = append(r.signal[h], n)
		}
	case prompt.LogOutcome:
		r.outcome(str("rc"), str("why"))
	case prompt.LogSwipe:
		r.swipes[h]++
		if t := str("t2"); t != "" && t != "ok" {
			count(&r.readers, "stripe "+t)
			r.readBad[h]++
		}
	case prompt.LogChip:
		switch str("what") {
		case "reset":
			r.swipes[h]++
		case "lost":
			count(&r.readers, "chip "+str("cause"))
			r.readBad[h]++
		default:
			r.stage("chip", str("took"))
		}
	case prompt.LogDecision:
		a := str("action")
		count(&r.actions, a)
		if stopping(a) {
			r.stops[h]++
		}
	default:
		if s := string(e.Code); strings.HasPrefix(s, "F-CHP") || strings.HasPrefix(s, "F-CRD") {
			count(&r.readers, s)
			r.readBad[h]++
		}
	}
}

// stopping tells whether an action keeps a payment from going on by itself.
func stopping(action string) bool {
	word, _, _ := strings.Cut(action, "(")
	return !slices.Contains([]string{"", "allow", "note", "warn", "pace"}, word)
}

func (r *Report) stage(key string, v any) {
	s, _ := v.(string)
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || !slices.Contains(stageOrder, key) {
		return
	}
	if r.stages == nil {
		r.stages = map[string][]time.Duration{}
	}
	if l := r.stages[key]; len(l) < mostSamples {
		r.stages[key] = append(l, d)
	}
}

func (r *Report) outcome(rc, why string) {
	r.payments++
	p, ok := prompt.Lookup(prompt.Code(why))
	switch {
	case ok && p.Severity == prompt.Good:
		r.approved++
	case strings.HasPrefix(why, "U-"):
		r.unknown++
	case rc != "":
		c := classOf[rc]
		if c == "" {
			c = "other"
		}
		count(&r.classes, c+" "+rc)
	default:
		count(&r.classes, why)
	}
}

// spread is the tenth, the half and nine tenths of a list, and its most.
func spread(l []time.Duration) (p10, p50, p90, most time.Duration) {
	if len(l) == 0 {
		return
	}
	l = slices.Clone(l)
	slices.Sort(l)
	at := func(p int) time.Duration { return l[min(len(l)*p/100, len(l)-1)] }
	return at(10), at(50), at(90), l[len(l)-1]
}

// row is a name and how often.
type row struct {
	name string
	n    int
}

func ranked(m map[string]int) (rows []row) {
	for k, n := range m {
		rows = append(rows, row{k, n})
	}
	sort.Slice(rows, func(i, j int) bool {
		return rows[i].n > rows[j].n || rows[i].n == rows[j].n && rows[i].name < rows[j].name
	})
	return rows[:min(len(rows), 10)]
}

// depths are the deepest the outbox was in each of n equal parts of the time; -1: nothing
// was seen.
func (r *Report) depths(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	span := r.To.Sub(r.From)
	for _, d := range r.queue {
		i := 0
		if span > 0 {
			i = min(int(int64(d.at.Sub(r.From))*int64(n)/int64(span+1)), n-1)
		}
		out[i] = max(out[i], d.n)
	}
	return out
}

// bars of a median signal for each hour; -1: nothing was seen.
func (r *Report) signals() (low, mid, high [24]int) {
	for h, l := range r.signal {
		low[h], mid[h], high[h] = -1, -1, -1
		if len(l) > 0 {
			l = slices.Clone(l)
			slices.Sort(l)
			low[h], mid[h], high[h] = l[0], l[len(l)/2], l[len(l)-1]
		}
	}
	return
}
