package main

import (
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	for _, tc := range []struct {
		have, kept, all int64
		took            time.Duration
		want            string
	}{
		{0, 0, 1 << 20, 0, "[------------------------]   0%  0 of 1024 kB"},
		{512 << 10, 0, 1 << 20, 10 * time.Second, "[############------------]  50%  512 of 1024 kB  51.2 kB/s  ETA 10s"},
		{512 << 10, 256 << 10, 1 << 20, 10 * time.Second, "[############------------]  50%  512 of 1024 kB  (256 kB were here)  25.6 kB/s  ETA 20s"},
		{1 << 20, 0, 1 << 20, time.Second, "[########################] 100%  1024 of 1024 kB  1024.0 kB/s"},
		{0, 0, 0, time.Second, "[########################] 100%  0 of 0 kB"},
	} {
		if got := barLine(tc.have, tc.kept, tc.all, tc.took); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}
