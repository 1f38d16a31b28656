package scenario

import (
	"math"
	"slices"
	"time"

	"swipewell/firmware/diagnose"
)

// Label is what a run is, for scoring.
type Label struct {
	Top    diagnose.Cause
	Second []diagnose.Cause
}

// Label of a run: in a compound run the other scenario's cause is right as well.
func (o Outcome) label(specs map[string]Spec) (l Label) {
	s := specs[o.Spec]
	l.Top, _ = diagnose.ParseCause(s.Top)
	for _, n := range s.Second {
		c, _ := diagnose.ParseCause(n)
		l.Second = append(l.Second, c)
	}
	if other, ok := specs[o.Compound]; ok {
		if c, _ := diagnose.ParseCause(other.Top); c != diagnose.NONE {
			l.Second = append(l.Second, c)
		}
	}
	return l
}

// as is what an answer counts as: one that is right counts as the label's.
func (l Label) as(c diagnose.Cause) diagnose.Cause {
	if slices.Contains(l.Second, c) {
		return l.Top
	}
	return c
}

// Count is one cause's part of a score.
type Count struct {
	Runs      int     `json:"runs"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Score is how well a set of runs was told.
type Score struct {
	Runs     int              `json:"runs"`
	MacroF1  float64          `json:"macro_f1"`
	Strict   float64          `json:"macro_f1_strict"` // a second cause counts as wrong
	Top1     float64          `json:"top1"`
	Top2     float64          `json:"top2"`
	Sub      float64          `json:"sub"` // of those whose cause is right
	ECE      float64          `json:"ece"`
	Sure     float64          `json:"named"` // share of runs in which a cause was named, not only ranked
	Right    float64          `json:"named_right"`
	PerCause map[string]Count `json:"per_cause"`
}

// answer is one run as a score sees it.
type answer struct {
	l   Label
	sub string
	k   diagnose.Ranking
}

// Grade scores rankings against labels. without, if not nil, is taken out of
// what was seen first.
func Grade(outs []Outcome, specs []Spec, without *diagnose.Family) Score {
	byID := map[string]Spec{}
	for _, s := range specs {
		byID[s.ID] = s
	}
	var list []answer
	for _, o := range outs {
		k := o.Ranking
		if without != nil {
			k = diagnose.Rank(o.Ranking.Sig.Without(*without), o.Ranking.Told)
		}
		list = append(list, answer{o.label(byID), byID[o.Spec].Sub, k})
	}
	return grade(list)
}

func grade(list []answer) (s Score) {
	var tp, fp, fn, n, stp, sfp, sfn [diagnose.Causes]int
	var cal calibration
	right1, right2, subs, subRight, sure, sureRight := 0, 0, 0, 0, 0, 0
	for _, a := range list {
		top := a.k.Top[0]
		got := a.l.as(top.Row.Cause)
		n[a.l.Top]++
		tally := func(got diagnose.Cause, tp, fp, fn *[diagnose.Causes]int) {
			if got == a.l.Top {
				tp[got]++
			} else {
				fp[got]++
				fn[a.l.Top]++
			}
		}
		tally(got, &tp, &fp, &fn)
		tally(top.Row.Cause, &stp, &sfp, &sfn)
		ok := got == a.l.Top
		if ok {
			right1++
		}
		if ok || a.l.as(a.k.Top[1].Row.Cause) == a.l.Top {
			right2++
		}
		if top.Row.Cause == a.l.Top && a.sub != "" {
			subs++
			if top.Row.Sub == a.sub {
				subRight++
			}
		}
		if a.k.Sure {
			sure++
			if ok {
				sureRight++
			}
		}
		cal.add(top.P, ok)
	}
	total := float64(max(len(list), 1))
	s = Score{Runs: len(list), Top1: float64(right1) / total, Top2: float64(right2) / total, Sub: ratio(subRight, subs), Sure: float64(sure) / total,
		Right: ratio(sureRight, sure), PerCause: map[string]Count{}}
	kinds := 0
	for c := range diagnose.Causes {
		if n[c] == 0 {
			continue
		}
		kinds++
		k := Count{Runs: n[c], Precision: ratio(tp[c], tp[c]+fp[c]), Recall: ratio(tp[c], tp[c]+fn[c]), F1: ratio(2*tp[c], 2*tp[c]+fp[c]+fn[c])}
		s.PerCause[c.String()] = k
		s.MacroF1 += k.F1
		s.Strict += ratio(2*stp[c], 2*stp[c]+sfp[c]+sfn[c])
	}
	s.MacroF1 /= float64(max(kinds, 1))
	s.Strict /= float64(max(kinds, 1))
	s.ECE = cal.error()
	return s
}

// calibration compares shares with how often they were right, in ten bins: the
// expected calibration error.
type calibration struct {
	n    int
	bins [10]struct {
		right int
		p     float64
	}
}

func (c *calibration) add(p float64, right bool) {
	c.n++
	b := &c.bins[min(int(p*10), 9)]
	b.p += p
	if right {
		b.right++
	}
}

func (c *calibration) error() (e float64) {
	for _, b := range c.bins {
		e += math.Abs(b.p-float64(b.right)) / float64(max(c.n, 1))
	}
	return e
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Times are the median and the ninth tenth of the time to the first right and
// sure answer, over the runs that had one.
func Times(outs []Outcome) (p50, p90 time.Duration, share float64) {
	var list []time.Duration
	n := 0
	for _, o := range outs {
		if o.Waits {
			n++
			if o.First >= 0 {
				list = append(list, o.First)
			}
		}
	}
	if len(list) == 0 {
		return 0, 0, 0
	}
	slices.Sort(list)
	return list[len(list)/2], list[len(list)*9/10], float64(len(list)) / float64(n)
}
