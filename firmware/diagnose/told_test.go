package diagnose

import (
	"math"
	"testing"
	"time"

	"swipewell/ui/prompt"
)

// The names that rule files may say are those of the table, with its codes.
func TestCauseNames(t *testing.T) {
	if len(prompt.CauseNames) != len(table) {
		t.Errorf("%d names, %d rows", len(prompt.CauseNames), len(table))
	}
	for i, r := range table {
		if n, ok := RowOf(r.Name()); !ok || n != i || prompt.CauseNames[r.Name()] != r.Code {
			t.Errorf("%s: row %d, %v, code %s", r.Name(), n, ok, prompt.CauseNames[r.Name()])
		}
	}
}

// What a rule says moves its own cause, fades, is bounded, and is not added up by
// firing again.
func TestTold(t *testing.T) {
	at := time.Hour
	row, _ := RowOf("FRD.testing")
	w := &Window{}
	for i := range 5 {
		w.Add(Obs{Kind: Said, At: at + time.Duration(i)*time.Second, Code: uint16(row), N: 200})
	}
	if got := w.Told(at + 4*time.Second)[row]; got != 2 {
		t.Errorf("five times two nats: %v", got)
	}
	if got := w.Told(at + 4*time.Second + 15*time.Minute)[row]; math.Abs(got-1) > .01 {
		t.Errorf("a quarter of an hour later: %v", got)
	}
	if w.Told(at+2*time.Hour) != (Told{}) {
		t.Error("it never fades")
	}
	w.Add(Obs{Kind: Said, At: at, Code: uint16(row), N: 30_000})
	w.Add(Obs{Kind: Said, At: at, Code: 60_000, N: 300})
	if got := w.Told(at)[row]; got != mostTold {
		t.Errorf("three hundred nats: %v", got)
	}
	before, after := Rank(Signals{}, Told{}), Rank(Signals{}, w.Told(at))
	share := func(r Ranking, c Cause) float64 {
		for _, x := range r.Top {
			if x.Row.Cause == c {
				return x.P
			}
		}
		return 0
	}
	if share(after, FRD) <= share(before, FRD) || after.Top[0].Row.Code != prompt.CauseTesting || after.Quiet() {
		t.Errorf("%v", after)
	}
	if e := after.Evidence(); len(e) != 1 || e[0].Signal != Ruled || e[0].Nats != mostTold {
		t.Errorf("%+v", e)
	}
}
