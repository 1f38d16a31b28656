package terminal

import (
	"log/slog"
	"math"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// offBy is how far the wall may be from the host's before it is set: DE 12 has
// whole seconds, and an answer may have taken half a minute.
const offBy = time.Minute

// built is before any day on which this program can run: DE 13 has no year, and
// a dead battery has none either.
var built = time.Date(2026, 1, 1, 0, 0, 0, 0, pos.CST)

// setWall sets the wall clock by what a believed answer says in DE 12 and 13.
// Nothing that protects money hangs on it: limits and retries go by logical
// time, which neither a dead battery nor a host can move.
// What it returns is what the host said, Unix ms; 0 if it is not believed.
func (t *Terminal) setWall(r hostlink.Reply) int64 {
	a := r.Answer
	if r.Kind != txn.Answered || a.MAC != txn.MACValid && !(a.RC == "00" && a.Batch != 0) {
		return 0
	}
	now := t.clock.Now().Wall
	host, ok := pos.HostWall(a.HostTime, now, built)
	if !ok {
		return 0
	}
	if host.Sub(now).Abs() < offBy {
		return host.UnixMilli()
	}
	t.see(diagnose.Obs{Kind: diagnose.Jump, N: int32(max(min(host.Sub(now)/time.Second, math.MaxInt32), -math.MaxInt32))})
	if t.board.SetWall == nil {
		return host.UnixMilli()
	}
	e := journal.Event{Code: prompt.LogClock, Source: "terminal", Fields: []journal.Field{journal.Count("off_s", int(host.Sub(now)/time.Second))}}
	if err := t.board.SetWall(host); err != nil {
		e.Level, e.Fields = slog.LevelWarn, append(e.Fields, journal.Err(err))
	}
	t.o.Journal.Record(e)
	return host.UnixMilli()
}
