package diagnose

import "time"

// device: memory, clock, case, starts.
func (w *Window) device(now time.Duration, s *Signals) {
	failed, slowed, starts, load, tampers := 0, 0, 0, 0, 0
	off := int32(0)
	fresh := false
	w.each(now, time.Hour, func(o *Obs) {
		switch o.Kind {
		case Write:
			if o.Code == 1 {
				failed++
			} else {
				slowed++
			}
			s[Disk].At = o.At
		case Jump:
			if n := max(o.N, -o.N); n > off {
				off = n
			}
			s[Clock].At = o.At
		case Tamper:
			tampers++
			s[Case].At = o.At
		case Restart:
			if o.Code == 1 && now-o.At < 20*time.Minute {
				starts++
				s[Starts].At = o.At
			}
			fresh = fresh || o.N == 1
		case Load:
			load = max(load, int(o.N))
			s[Machine].At = o.At
		}
	})
	set := func(i ID, g Signal) {
		g.At = s[i].At
		s[i] = g
	}
	g := of(2*failed+slowed, 1, 2)
	g.N = failed + slowed
	set(Disk, g)
	g = of(int(off), 5, 60)
	set(Clock, g)
	g = of(2*min(tampers, 1), 1, 2)
	g.N = tampers
	set(Case, g)
	n := starts
	if fresh && starts > 1 {
		n++
	}
	g = of(n, 2, 4)
	g.N = starts
	if fresh {
		g.Of = 1
	}
	set(Starts, g)
	set(Machine, of(load, 80, 95))
}
