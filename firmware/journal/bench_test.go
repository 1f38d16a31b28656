package journal

import (
	"path/filepath"
	"testing"
)

// BenchmarkRecord is the way of an entry to disk, batches included; nobody waits for the disk.
func BenchmarkRecord(b *testing.B) {
	j := testOpen(b, Opts{Dir: filepath.Join(b.TempDir(), "j"), Rate: -1, MaxBytes: 256 << 20, Queue: 8192, NoSync: true})
	es := make([]Event, 1200)
	for i := range es {
		es[i] = event(i)
		es[i].Code = "E-NET-01"
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		j.Record(es[i%len(es)])
		if i%1024 == 1023 && j.Waiting() > 4096 {
			j.Sync(false)
		}
	}
	j.Sync(true)
	if j.Dropped() > 0 {
		b.Error(j.Dropped())
	}
}

// BenchmarkGrep reads 100,000 entries for a text that a tenth of the blocks' records nearly has.
func BenchmarkGrep(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "j")
	j := testOpen(b, Opts{Dir: dir, Rate: -1, MaxBytes: 256 << 20, NoSync: true})
	const n = 100_000
	for i := range n {
		j.Record(event(i))
		if i%256 == 255 {
			j.Sync(false)
		}
	}
	j.Close()
	s, err := Folder(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, g := range []string{"A-SAL-01 n=4711", "nothing-like-it", `n=4[67]11$`} {
		b.Run(g, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.All(Filter{Grep: g}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "M/s")
		})
	}
}
