package update

import (
	"slices"
	"strings"
	"time"
)

// Check is one thing that a build on trial must show of itself.
type Check string

const (
	Devices Check = "devices" // every device of the board file opened
	Store   Check = "store"   // store.Check found nothing
	Host    Check = "host"    // the host answered an echo, or there is a stated reason why it was not asked
)

// Settle is how long a build on trial must run without a crash.
const Settle = 60 * time.Second

// Limit ends a trial that neither passes nor fails.
const Limit = 10 * time.Minute

// Verdict on a build on trial.
type Verdict int

const (
	Wait    Verdict = iota
	Healthy         // confirm it
	Sick            // end the trial and start the other build
)

// Health judges a build on trial. Its zero value waits for every check; times are
// since the start of the build.
type Health struct {
	passed []Check
	Excuse string // why the host was not asked
	Why    string // of Sick
}

// Report notes a check. A failed one is the end: the same build, started again,
// may pass while tries are left.
func (h *Health) Report(c Check, ok bool, why string) {
	switch {
	case !ok && h.Why == "":
		h.Why = string(c) + ": " + why
	case ok && !slices.Contains(h.passed, c):
		h.passed = append(h.passed, c)
		if c == Host {
			h.Excuse = why
		}
	}
}

// At judges at a time since the start.
func (h *Health) At(since time.Duration) Verdict {
	var open []string
	for _, c := range []Check{Devices, Store, Host} {
		if !slices.Contains(h.passed, c) {
			open = append(open, string(c))
		}
	}
	switch {
	case h.Why != "":
		return Sick
	case len(open) == 0 && since >= Settle:
		return Healthy
	case len(open) > 0 && since >= Limit:
		h.Why = "not shown in time: " + strings.Join(open, ", ")
		return Sick
	}
	return Wait
}
