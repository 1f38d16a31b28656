package diagnose

import (
	"math"
	"time"
)

// Told is what rules of the acquirer's or the shop's own say for each row of the
// table, in nats. The rules of the build say nothing here: what they look at are
// signals already, and nothing counts twice.
type Told [len(table)]float64

// mostTold bounds what rules may say for a row: strong evidence, and no proof.
const mostTold = 5

// RowOf is a row's place in the table by its name, "OPR.repeat".
func RowOf(name string) (n int, ok bool) {
	for i, r := range table {
		if r.Name() == name {
			return i, true
		}
	}
	return 0, false
}

// Told is what rules have said: of each row the strongest word, which fades by half
// in a quarter of an hour.
func (w *Window) Told(now time.Duration) (t Told) {
	w.each(now, time.Hour, func(o *Obs) {
		if o.Kind != Said || int(o.Code) >= len(t) || o.At > now {
			return
		}
		v := float64(o.N) / 100 * math.Exp2(-float64(now-o.At)/float64(15*time.Minute))
		if v = max(-mostTold, min(v, mostTold)); math.Abs(v) > math.Abs(t[o.Code]) {
			t[o.Code] = v
		}
	})
	return t
}

// add gives each cause what its rows were told.
func (t Told) add(score *[Causes]float64) {
	for i, v := range t {
		score[table[i].Cause] += v
	}
}
