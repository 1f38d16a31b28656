package main

import (
	"testing"
	"time"
)

// TestOutage: one dial that fails is no outage yet, a dial under way ends none, and a
// link that comes up does.
func TestOutage(t *testing.T) {
	var o outage
	for _, c := range []struct {
		at         int // seconds
		up, failed bool
		want       int
	}{
		{1, false, false, 0}, // not tried yet
		{10, false, true, 0},
		{20, false, false, 10}, // it dials again
		{75, false, true, 65},
		{80, true, true, 0}, // one of two
		{490, false, true, 0},
		{500, false, true, 10},
		{510, true, false, 0},
		{520, false, false, 0},
	} {
		if got := o.look(time.Duration(c.at)*time.Second, c.up, c.failed); got != time.Duration(c.want)*time.Second {
			t.Errorf("at %d s: %v, want %d s", c.at, got, c.want)
		}
	}
}
