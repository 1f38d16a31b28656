package update

import (
	"strings"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	all := []Check{Devices, Store, Host}
	for _, c := range []struct {
		name   string
		passed []Check
		failed Check
		since  time.Duration
		want   Verdict
		why    string
	}{
		{"just started", nil, "", 0, Wait, ""},
		{"all shown, too early", all, "", Settle - 1, Wait, ""},
		{"all shown", all, "", Settle, Healthy, ""},
		{"the store is bad", []Check{Devices}, Store, time.Second, Sick, "store: it broke"},
		{"bad after good", all, Host, Settle, Sick, "host: it broke"},
		{"no host yet", all[:2], "", Limit - 1, Wait, ""},
		{"no host ever", all[:2], "", Limit, Sick, "not shown in time: host"},
	} {
		var h Health
		for _, p := range c.passed {
			h.Report(p, true, "")
		}
		if c.failed != "" {
			h.Report(c.failed, false, "it broke")
		}
		if got := h.At(c.since); got != c.want || !strings.Contains(h.Why, c.why) {
			t.Errorf("%s: %d %q", c.name, got, h.Why)
		}
	}
	var h Health
	h.Report(Host, true, "no line at the factory")
	if h.Excuse != "no line at the factory" {
		t.Error(h.Excuse)
	}
}
