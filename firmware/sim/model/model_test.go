package model

import "testing"

// The short search; `make model` runs the long ones.
func TestEveryInterleaving(t *testing.T) {
	for _, o := range []Opts{{Orders: 2, Tries: 1, Crashes: 1, Wrong: 1}, {Orders: 1, Tries: 3, Crashes: 2, Wrong: 1}} {
		r, err := Explore(o)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Complete || r.Nodes < 300 || r.Ends == 0 {
			t.Errorf("%+v: %+v", o, r)
		}
	}
}

// With a chip in the card.
func TestEveryInterleavingOfChips(t *testing.T) {
	o := Opts{Orders: 1, Tries: 2, Crashes: 1, Chip: true}
	if r, err := Explore(o); err != nil || !r.Complete || r.Nodes < 300 || r.Ends == 0 {
		t.Errorf("%+v: %+v %v", o, r, err)
	}
}
