package store

import (
	"fmt"
	"testing"

	"swipewell/firmware/pos"
)

// filled is a store with n sales in its batch.
func filled(b *testing.B, n int) *Store {
	s := open(b, b.TempDir(), Opts{})
	for at := 1; at <= n; {
		c := Change{State: testState(at)}
		for ; at <= n && len(c.PutSale) < 1000; at++ {
			c.PutSale = append(c.PutSale, sale(pos.STAN(at)))
		}
		if err := s.Room(); err != nil {
			b.Fatal(err)
		}
		commit(b, s, c)
	}
	return s
}

// BenchmarkSale is one sale, three commits, on batches of two sizes. The bytes
// per sale may grow to 1.2 times at most from the first to the second.
func BenchmarkSale(b *testing.B) {
	for _, n := range []int{0, 10_000, 50_000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			s := filled(b, n)
			c0, w0 := s.Stats()
			i := pos.STAN(n)
			for b.Loop() {
				i++
				if err := s.Room(); err != nil {
					b.Fatal(err)
				}
				if err := sellOne(s, i); err != nil {
					b.Fatal(err)
				}
			}
			c1, w1 := s.Stats()
			b.ReportMetric(float64(c1-c0)/float64(b.N), "commits/sale")
			b.ReportMetric(float64(w1-w0)/float64(b.N), "B/sale")
		})
	}
}

// BenchmarkCheck is a whole check, as after a power cut.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1_000, 50_000} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			s := filled(b, n)
			for b.Loop() {
				if err := s.Check(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
