package diagnose

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"swipewell/ui/prompt"
)

// Ranked is one cause with its share.
type Ranked struct {
	Row   Row
	P     float64
	Score float64
}

// Term is one piece of evidence: what a signal adds to the winner.
type Term struct {
	Signal ID
	Level  uint8
	Q      float64
	N, Of  int
	Nats   float64
}

// Ranking is what the device thinks.
type Ranking struct {
	Top  [Causes]Ranked // the likeliest first
	Sure bool           // the first may be named
	Told Told
	Test string // if not: what would tell most; a key of texts
	Sig  Signals
}

// Quiet tells that nothing speaks for any trouble.
func (r Ranking) Quiet() bool {
	if r.Told != (Told{}) {
		return false
	}
	for i, s := range r.Sig {
		if s.Level > 0 && ID(i) != Meant && ID(i) != Shared && ID(i) != Well {
			return false
		}
	}
	return true
}

// String is a ranking on one line: the likeliest causes, and what was seen.
func (r Ranking) String() string {
	var b strings.Builder
	for _, x := range r.Top[:3] {
		fmt.Fprintf(&b, "%s %.2f ", x.Row.Name(), x.P)
	}
	b.WriteString("by")
	for i, s := range r.Sig {
		if s.Level > 0 {
			fmt.Fprintf(&b, " %v=%d(%d/%d q%.2f)", ID(i), s.Level, s.N, s.Of, s.Q)
		}
	}
	return b.String()
}

// Thresholds of naming a cause. THROTTLE §4.
const (
	sureP      = .45
	sureMargin = .10
)

// Rank weighs signals, and what rules of one's own say. It is a pure function.
func Rank(s Signals, told Told) (r Ranking) {
	r.Sig, r.Told = s, told
	score := fitted.Scores(s)
	told.add(&score)
	p := fitted.share(score)
	for c := range p {
		r.Top[c] = Ranked{Row: subOf(Cause(c), s, told), P: p[c], Score: score[c]}
	}
	slices.SortStableFunc(r.Top[:], func(a, b Ranked) int { return cmp.Compare(b.P, a.P) })
	r.Sure = r.Top[0].P >= sureP && r.Top[0].P-r.Top[1].P >= sureMargin
	if !r.Sure {
		r.Test = r.test()
	}
	return r
}

// subOf picks the sub-cause whose signals say most.
func subOf(c Cause, s Signals, told Told) (best Row) {
	most := -10.0
	for i, row := range table {
		if row.Cause != c {
			continue
		}
		v := 0.0
		for k, i := range row.By {
			v += float64(s[i].Level) * s[i].Q / float64(k+1)
		}
		switch row.Code { // sub-causes that share their signal
		case prompt.CauseKeyed:
			if s[Format].Of*2 < s[Format].N {
				v = 0
			}
		case prompt.CauseCount, prompt.CauseAmount: // 65, or the others
			if (2*s[Limit].Of > s[Limit].N) != (row.Code == prompt.CauseAmount) {
				v = 0
			}
		case prompt.CausePower:
			v *= 1.5
		case prompt.CauseSoftware:
			v += .01
		}
		v += told[i]
		if v > most {
			best, most = row, v
		}
	}
	return best
}

// Evidence is what speaks for the first cause, the weightiest first; five at
// most.
func (r Ranking) Evidence() (list []Term) {
	c := r.Top[0].Row.Cause
	for i := range r.Sig {
		x := r.Sig[i]
		if x.Level == 0 {
			continue
		}
		if w := fitted.Signals[i][c][x.Level-1] * x.Q; w != 0 {
			list = append(list, Term{ID(i), x.Level, x.Q, x.N, x.Of, w})
		}
	}
	for i, v := range r.Told {
		if v != 0 && table[i].Cause == c {
			list = append(list, Term{Signal: Ruled, Level: 1, Q: 1, N: 1, Nats: v})
		}
	}
	slices.SortStableFunc(list, func(a, b Term) int { return cmp.Compare(math.Abs(b.Nats), math.Abs(a.Nats)) })
	return list[:min(len(list), 5)]
}

// test is the one step that tells the two likeliest apart: that of the first
// one whose sub-cause names one.
func (r Ranking) test() string {
	for _, t := range r.Top[:2] {
		if t.Row.Test != "" {
			return t.Row.Test
		}
	}
	return "other-card"
}

// Of tells which link's fault, which codes: the words of the first cause.
func (r Ranking) Args(w *Window, now time.Duration) (a prompt.Args) {
	s := r.Sig
	switch r.Top[0].Row.Code {
	case prompt.CauseReader:
		g := s[MSRMany]
		if s[ICCMany].Level > g.Level {
			g = s[ICCMany]
		}
		a.N, a.Field = g.N, itoa(g.Of)
	case prompt.CauseStorage:
		a.N = s[Disk].N
	case prompt.CauseSoftware:
		a.N = s[Starts].N
	case prompt.CauseSignal:
		a.N, a.Field = s[TMO].N, "CSQ "+itoa(s[CSQ].N)
	case prompt.CauseRoute:
		a.N = s[Backup].N
	case prompt.CauseQuality:
		a.N = max(s[TMO].N, s[ReTx].N)
	case prompt.CauseSIM:
		a.N = max(s[SIM].N, s[Reg].N)
	case prompt.CauseRepeat:
		if o, ok := w.Last(Repeat); ok {
			a.Field = itoa(int(o.N)) + "s"
		}
	case prompt.CauseInterface:
		a.N = s[Wrong].N
	case prompt.CauseFunds:
		a.N = s[Funds].N
	case prompt.CauseTechnique:
		a.N = s[Hand].N
	case prompt.CauseFlow:
		a.N = s[Undo].N
	case prompt.CauseCount, prompt.CauseAmount, prompt.CauseHost:
		a.N, a.Field = max(s[HostRC].N, s[Limit].N), w.lastCode(r.Top[0].Row.Code)
	case prompt.CausePeak:
		if s[Busy].Level > 0 { // else only the queue speaks of it: how many times is not known
			a.N, a.Field = s[Busy].N, itoa(s[Busy].N)
		}
	case prompt.CauseCard:
		a.N = max(s[MSROne].N, s[ICCOne].N)
	case prompt.CauseKeyed, prompt.CauseData:
		a.N = max(s[Format].N, s[InputRC].N)
	case prompt.CausePower:
		a.N = max(s[Both].Of, 2)
	}
	return a
}

// lastCode is the youngest response code that fits a cause.
func (w *Window) lastCode(c prompt.Code) string {
	want := map[prompt.Code]string{prompt.CauseCount: "65 ", prompt.CauseAmount: "61 62 57 ", prompt.CauseHost: "91 92 96 68 98 "}[c]
	got := ""
	w.each(1<<62, 1<<62, func(o *Obs) {
		if o.Kind == Sale && o.RC[0] != 0 && contains(want, string(o.RC[:])) {
			got = string(o.RC[:])
		}
	})
	return got
}

func contains(list, code string) bool {
	for i := 0; i+2 <= len(list); i += 3 {
		if list[i:i+2] == code {
			return true
		}
	}
	return false
}

func itoa(n int) string {
	if n < 0 {
		return "-" + itoa(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
