package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/firmware/sim/flashsim"
	"swipewell/firmware/update/updatesim"
)

// TestFlashMeter measures something small: the figures are plausible, and a wire
// that is half as fast takes twice the time.
func TestFlashMeter(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	image := make([]byte, 100_000)
	for i := range image {
		image[i] = byte(r.Uint32())
	}
	b, err := updatesim.Bundle(image, updatesim.Board)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	m := &flashMeter{ctx: t.Context(), w: &out, errs: io.Discard, dir: t.TempDir(), rate: 115_200}
	fast, err := m.session("fast", b, []byte("old"), flashsim.Faults{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.rate /= 2
	slow, err := m.session("slow", b, []byte("old"), flashsim.Faults{}, []int64{30_000})
	if err != nil {
		t.Fatal(err)
	}
	if f := float64(slow.span) / float64(fast.span); f < 1.8 || slow.Breaks != 1 || fast.Breaks != 0 || slow.came < fast.came {
		t.Errorf("%.2f times as long; %+v %+v", f, fast, slow)
	}
	if fast.came < fast.Bytes || fast.span.Seconds() < float64(fast.Bytes-2048)/115_200-0.2 {
		t.Errorf("faster than the wire: %+v", fast)
	}
	m.row("a", "b", "≤ 1", false)
	m.row("c", "d", "", false)
	if m.missed != 1 || strings.Count(out.String(), "MISSED") != 1 {
		t.Errorf("%s", &out)
	}
}

// TestFlashPeer: programs of others over the same wire.
func TestFlashPeer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sz"); err != nil {
		t.Skip("needs lrzsz")
	}
	m := &flashMeter{ctx: t.Context(), w: io.Discard, errs: io.Discard, dir: t.TempDir(), rate: 115_200}
	file := filepath.Join(m.dir, "file")
	if err := os.WriteFile(file, bytes.Repeat([]byte("a line of it\n"), 8000), 0o600); err != nil {
		t.Fatal(err)
	}
	took, err := m.peer("sz", file, []string{"sz", "-b", "-q"}, []string{"rz", "-b", "-q", "-y"}, flashsim.Faults{})
	if ideal := 104_000 / 115_200.0; err != nil || took < ideal-0.1 {
		t.Errorf("%.2f s, no less than %.2f, %v", took, ideal, err)
	}
}
