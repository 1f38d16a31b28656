package world

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// bare is a machine that is never started.
type bare struct{ slots string }

func (bare) Command(string) (*exec.Cmd, error) { return exec.Command("false"), nil }
func (bare) Stop(*exec.Cmd) error              { return nil }
func (b bare) Slots() string                   { return b.slots }

// A machine has slots of its own: `board slots` adds the technician with his cable
// and the keys that sign builds. Without a loader there is nothing to add it to.
func TestSlotsOfAMachine(t *testing.T) {
	for _, x := range []struct {
		slots, err string
	}{{"port = \"uboot\"\n", ""}, {"", "no loader"}} {
		w, err := New(Opts{Dir: t.TempDir(), Machine: bare{x.slots}})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Do(context.Background(), "board", "slots", "need=2"); x.err != "" {
			if err == nil || !strings.Contains(err.Error(), x.err) {
				t.Error(err)
			}
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(w.path("bench.toml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"port = \"uboot\"", "need = 2", "TEST KEY build.key", "/data/inbox\""} {
			if !strings.Contains(string(b), want) {
				t.Errorf("the board file has no %q", want)
			}
		}
		for _, k := range []string{buildKey, secondKey, wrongKey} {
			if b, err := os.ReadFile(w.path("desk/" + k)); err != nil || len(b) < 40 {
				t.Errorf("%s: %d bytes, %v", k, len(b), err)
			}
		}
		if err := w.plug(); err != nil {
			t.Fatal(err)
		}
		defer w.unplug()
		if _, err := os.Stat(w.ServicePath()); err != nil {
			t.Error(err)
		}
	}
}
