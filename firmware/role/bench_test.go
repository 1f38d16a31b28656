package role

import "testing"

// BenchmarkVerify is the work of one check, and its memory (B/op): what a device
// with 64 MB must be able to spare, once at the keypad and once at the cable.
func BenchmarkVerify(b *testing.B) {
	h, err := Hash("2580")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !Verify(h, []byte("2580")) {
			b.Fatal("refused")
		}
	}
}
