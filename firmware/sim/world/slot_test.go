package world

import (
	"os"
	"strings"
	"testing"
)

// The bench of the page has a slot from the start; a script's has none.
func TestOptsSlot(t *testing.T) {
	for _, kind := range []string{"serial", ""} {
		w, err := New(Opts{Dir: t.TempDir(), Slot: kind})
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(w.path("bench.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Summary().Slot; got.Kind != kind || got.Card != "" || got.Powered || strings.Contains(string(b), "[icc]") != (kind != "") {
			t.Errorf("%q: %+v", kind, got)
		}
		w.Close()
	}
}
