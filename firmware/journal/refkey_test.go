package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"swipewell/hal"
)

// A card has one name for 90 days, over restarts; then another, and the key of the
// first is gone. A clock that was set back a year makes no name live longer.
func TestNamesOfCardsAreForgotten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	clock := hal.NewSteppedClock(nil, noon)
	j := testOpen(t, Opts{Dir: dir, Clock: clock})
	sum := [32]byte{1, 2, 3}
	first := j.Ref(sum)
	if first == (Ref{}) || first == j.Ref([32]byte{9}) || bytes.Equal(first[:], sum[:8]) {
		t.Fatal("no name of its own")
	}
	raw, err := os.ReadFile(filepath.Join(dir, refFile))
	if err != nil {
		t.Fatal(err)
	}
	clock.Jump(89 * 24 * time.Hour)
	if j.Ref(sum) != first {
		t.Error("a new name within 90 days")
	}
	j.Close()
	j = testOpen(t, Opts{Dir: dir, Clock: clock})
	if j.Ref(sum) != first {
		t.Error("a new name after a restart")
	}
	clock.Jump(25 * time.Hour)
	second := j.Ref(sum)
	if second == first || second == (Ref{}) {
		t.Error("the old name after 90 days")
	}
	now, _ := os.ReadFile(filepath.Join(dir, refFile))
	if len(now) != len(raw) || bytes.Contains(now, raw[8:]) {
		t.Error("the old key is still there")
	}
	clock.StepWall(-365 * 24 * time.Hour)
	if j.Ref(sum) == second {
		t.Error("a clock set back keeps the name")
	}
	if (*Journal)(nil).Ref(sum) != (Ref{}) {
		t.Error("a name of nothing")
	}
}
