package throttle

import "time"

// GCRA is a rate: one every T, and burst of them at once. It keeps one number,
// the theoretical arrival time. GCRA.
type GCRA struct {
	T     time.Duration
	Burst int
}

// Take tells whether one more conforms at now, and if not, how long to wait. tat
// is what the last call returned; keep next.
func (g GCRA) Take(tat, now Time) (next Time, wait time.Duration) {
	tolerance := g.T * time.Duration(max(g.Burst-1, 0))
	if early := tat - tolerance - now; early > 0 {
		return tat, early
	}
	return max(tat, now) + g.T, 0
}
