package powercut

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
)

// Result of many images.
type Result struct {
	Images, Opened, Checked, Fresh, Double, Lost int
	Ops, Syncs                                   int
	ByStyle                                      [styles]int
	Bad                                          []string // the first few that were not good, with what makes them again
}

// Opts of Images; the zero value is right.
type Opts struct {
	Judge    func(context.Context, string) error // see [Judge]
	Progress func(done, of int)
}

// Images makes count images over the whole recording, in dir, on so many
// workers, and judges each. Every moment of the first creation is among them.
func Images(ctx context.Context, l *Log, dir string, count int, seed uint64, workers int, o Opts) (Result, error) {
	res := Result{Ops: len(l.Ops), Syncs: l.Syncs}
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for n := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			d := NewDisk()
			made := 0
			for k := 0; k <= len(l.Ops); k++ {
				if ctx.Err() != nil {
					errs <- ctx.Err()
					return
				}
				// Image i of count stands at op i*ops/count; this worker takes each
				// n-th. The first sixty ops, the creation, get every style.
				want := (k+1)*count/(len(l.Ops)+1) - k*count/(len(l.Ops)+1)
				if k <= 60 {
					want = max(want, int(styles))
				}
				facts := Facts{}
				if k > 0 {
					facts = l.Facts[l.Ops[min(k, len(l.Ops)-1)].Fact]
				}
				for i := range want {
					made++
					if made%workers != n {
						continue
					}
					style := Style((k + i) % int(styles))
					rnd := rand.New(rand.NewPCG(seed, uint64(k)<<20|uint64(i)))
					v := Judge(filepath.Join(dir, fmt.Sprint("w", n)), d.Image(rnd, style), facts, o.Judge)
					mu.Lock()
					res.add(v, style, fmt.Sprintf("seed %d, op %d, image %d, style %d", seed, k, i, style))
					done := res.Images
					mu.Unlock()
					if o.Progress != nil && done%256 == 0 {
						o.Progress(done, count)
					}
				}
				if k < len(l.Ops) {
					d.Do(l.Ops[k])
				}
			}
		}()
	}
	wg.Wait()
	select {
	case err := <-errs:
		return res, err
	default:
		return res, nil
	}
}

func (r *Result) add(v Verdict, s Style, how string) {
	r.Images++
	r.ByStyle[s]++
	for _, c := range []struct {
		is bool
		n  *int
	}{{v.Opened, &r.Opened}, {v.Checked, &r.Checked}, {v.Fresh, &r.Fresh}} {
		if c.is {
			*c.n++
		}
	}
	r.Double += v.Double
	r.Lost += v.Lost
	if !v.Good() && len(r.Bad) < 20 {
		r.Bad = append(r.Bad, how+": "+v.Why)
	}
}
