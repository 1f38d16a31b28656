package journal

import (
	"log/slog"
	"time"

	"swipewell/firmware/journal/entry"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// stepped tells of a wall clock that was set; the caller holds mu.
func (j *Journal) stepped(now hal.Instant) {
	offset := now.Wall.Sub(time.Unix(0, 0)) - now.Boot
	by := offset - j.offset
	if by > -time.Second && by < time.Second {
		return
	}
	j.offset = offset
	j.push(Entry{Level: slog.LevelInfo.String(), Code: prompt.LogJournal, Source: "journal",
		Fields: []Pair{{Key: "what", Value: "clock-step"}, {Key: "by", Value: by.Round(time.Millisecond).String()}}}, now)
}

// bucket is what a source may still say.
type bucket struct {
	tokens float64
	at     time.Duration
	held   int
}

// limited holds an entry back if its source says too much; the caller holds mu.
func (j *Journal) limited(e *Entry, now hal.Instant) bool {
	if j.o.Rate < 0 || e.Source == "journal" || e.Tx != "" && urgent(e) {
		return false
	}
	rate, name := float64(j.o.Rate), e.Source
	if e.Code == prompt.LogKernel { // a driver in trouble says the same for hours; what it says calmly shall not use up what is grave
		if rate = max(1, rate/10); entry.Level(e.Level) >= slog.LevelWarn {
			name += " grave"
		}
	}
	burst := 10 * rate
	b := j.buckets[name]
	if b == nil {
		if len(j.buckets) >= 256 { // names come from a program, and are few; if not, they share
			b = j.buckets[""]
		}
		if b == nil {
			b = &bucket{tokens: burst, at: now.Boot}
			j.buckets[name] = b
		}
	}
	b.tokens = min(burst, b.tokens+rate*(now.Boot-b.at).Seconds())
	b.at = now.Boot
	if b.tokens < 1 {
		b.held++
		j.held++
		return true
	}
	b.tokens--
	if b.held > 0 {
		j.push(heldBack(name, b.held), now)
		b.held = 0
	}
	return false
}

func heldBack(source string, n int) Entry {
	return Entry{Level: slog.LevelWarn.String(), Code: prompt.LogJournal, Source: "journal",
		Fields: []Pair{{Key: "what", Value: "held-back"}, {Key: "of", Value: source}, {Key: "n", Value: int64(n)}}}
}
