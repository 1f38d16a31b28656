package journal

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"swipewell/firmware/journal/kmsg"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Each message of the kernel is taken once, over starts of the program; what a number in it
// looks like is starred; another life of the kernel counts anew.
func TestKernel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	ring := []kmsg.Message{{Seq: 5, Text: "up"}, {Seq: 6, Level: slog.LevelDebug, Text: "detail"}, {Seq: 7, Level: slog.LevelError, Text: "mmc0: card 4111111111111111"},
		{Seq: 9, User: true, Level: slog.LevelWarn, Text: "a program"}, {Seq: 10, Level: slog.LevelDebug}, {Seq: 11, Text: "later"}}
	for _, life := range []struct {
		boot string
		n    int
	}{{"aaaaaaaa-1", 4}, {"aaaaaaaa-1", 6}, {"bbbbbbbb-1", 1}} {
		j := testOpen(t, Opts{Dir: dir})
		k, err := j.Kernel(life.boot)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ring[:life.n] {
			k.Take(m)
		}
		j.Close()
	}
	es, err := Read(dir, Filter{Code: prompt.LogKernel})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range es {
		got = append(got, fmt.Sprint(e.Level, " ", e.Source, " ", e.Msg, " ", e.Get("kernel"), " ", e.Get("kseq"), " lost ", e.Get("lost")))
	}
	want := []string{"INFO kernel up aaaaaaaa 5 lost <nil>", "ERROR kernel mmc0: card ******** aaaaaaaa 7 lost <nil>", "WARN kernel.user a program aaaaaaaa 9 lost 1",
		"INFO kernel later aaaaaaaa 11 lost <nil>", "INFO kernel up bbbbbbbb 5 lost <nil>"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A driver that says the same for hours is held back, and what it says calmly does not cost what is grave.
func TestKernelRate(t *testing.T) {
	clock := hal.NewSteppedClock(nil, noon)
	j := testOpen(t, Opts{Clock: clock, Rate: 100, Queue: 1 << 12})
	k, err := j.Kernel("x")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		k.Take(kmsg.Message{Seq: uint64(i), Text: "calm"})
	}
	k.Take(kmsg.Message{Seq: 1000, Level: slog.LevelError, Text: "grave"})
	clock.Jump(time.Minute)
	k.Take(kmsg.Message{Seq: 1001, Text: "calm again"})
	n := map[string]int{}
	es, err := j.Query(Filter{})
	for _, e := range es {
		if n[e.Msg]++; e.Get("what") == "held-back" {
			n["held"] = int(e.Get("n").(int64))
		}
	}
	if err != nil || n["calm"] != 100 || n["grave"] != 1 || n["calm again"] != 1 || n["held"] != 900 {
		t.Error(n, err)
	}
}
