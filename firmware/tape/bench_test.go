package tape

import (
	"compress/flate"
	"testing"
)

// BenchmarkSale is what a payment of some sixteen steps costs the loop: reducer, record, pack.
func BenchmarkSale(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		x := newTill(b)
		x.sale("00")
		x.rec.Take()
	}
}

// BenchmarkPack is the part of it that comes at once, before a message leaves.
func BenchmarkPack(b *testing.B) {
	p, err := unpack(twice(b).Bytes())
	if err != nil {
		b.Fatal(err)
	}
	var z *flate.Writer
	b.ReportAllocs()
	for b.Loop() {
		if pack(p, &z) == nil {
			b.Fatal("nil")
		}
	}
}
