package main

import "testing"

// The T=0 driver wastes little of the wire: a whole sale in virtual time is within
// 15 % of what its characters need, and never below it.
func TestWireSale(t *testing.T) {
	s, err := newChipSale()
	if err != nil {
		t.Fatal(err)
	}
	took, need, err := wireSale(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if took < need || took > need*115/100 {
		t.Errorf("a sale takes %v, its characters %v", took, need)
	}
	t.Log(took, need)
}
