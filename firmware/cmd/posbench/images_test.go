package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"swipewell/firmware/sim/powercut"
	"swipewell/firmware/store"
)

// recorded is a workload of the real posd on a disk that sees everything.
func recorded(t *testing.T, sales int) *powercut.Log {
	t.Helper()
	dir, err := os.MkdirTemp("", "images-test-") // short: sockets lie in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := real(t)
	o, err := s.opts(filepath.Join(dir, "w"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := powercut.Record(t.Context(), powercut.Work{World: o, Seed: 3, Sales: sales})
	if errors.Is(err, powercut.ErrNoFUSE) {
		t.Skip("kernel: needs FUSE and the right to mount: " + err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestImages(t *testing.T) {
	l := recorded(t, 15)
	dir, err := os.MkdirTemp(ramDisk(), "images-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// A child judges: a file that a bug leaves behind must not take this process.
	o := powercut.Opts{Judge: store.Judge(real(t).posd, "judge")}
	r, err := powercut.Images(t.Context(), l, dir, 500, 1, 2, o)
	if err != nil || r.Checked != r.Images || r.Double+r.Lost > 0 || r.Images < 500 {
		t.Errorf("%+v %v", r, err)
	}
	// The proof can fail: the same work without a single sync is found out, and
	// so is a store whose folder was never synced.
	for name, drop := range map[string]powercut.OpKind{"no file is synced": powercut.OpSync, "no folder is synced": powercut.OpSyncDir} {
		bad := &powercut.Log{Facts: l.Facts}
		for _, op := range l.Ops {
			if op.Kind != drop {
				bad.Ops = append(bad.Ops, op)
			}
		}
		r, err := powercut.Images(t.Context(), bad, dir, 60, 1, 2, o)
		if err != nil || r.Checked == r.Images && r.Lost == 0 {
			t.Errorf("%s, and every image is good: %+v %v", name, r, err)
		}
	}
}
