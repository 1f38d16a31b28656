package softkeys

import (
	"path/filepath"
	"testing"

	"swipewell/hal"
	"swipewell/hal/haltest"
)

func TestConformance(t *testing.T) {
	haltest.KeyStore(t, func(t *testing.T) haltest.KeyStoreBench {
		p := filepath.Join(t.TempDir(), "k")
		if err := Provision(p, tmk); err != nil {
			t.Fatal(err)
		}
		open := func() hal.KeyStore {
			k, err := Open(Opts{Path: p, Bench: true})
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		return haltest.KeyStoreBench{Keys: open(), TMK: tmk, Reopen: open}
	})
}
