package pos_test

import (
	"testing"
	"time"

	"swipewell/firmware/pos"
)

func TestHostWall(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, pos.CST)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	floor := at("2026-01-01 00:00:00")
	for _, c := range []struct{ de, near, want string }{
		{"1124093000", "2026-11-24 09:00:00", "2026-11-24 09:30:00"},
		{"0101000010", "2026-12-31 23:59:50", "2027-01-01 00:00:10"},
		{"1231235950", "2027-01-01 00:00:10", "2026-12-31 23:59:50"},
		{"1124093000", "1970-01-01 08:00:00", "2026-11-24 09:30:00"}, // a dead battery
		{"0229120000", "2028-02-28 12:00:00", "2028-02-29 12:00:00"},
		{"0229120000", "2026-02-28 12:00:00", ""},
		{"1332000000", "2026-11-24 09:00:00", ""},
		{"", "2026-11-24 09:00:00", ""},
	} {
		got, ok := pos.HostWall(c.de, at(c.near), floor)
		if ok != (c.want != "") || ok && !got.Equal(at(c.want)) {
			t.Errorf("%s near %s: %v %v, want %s", c.de, c.near, got, ok, c.want)
		}
	}
}
