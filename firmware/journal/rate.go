package journal

import (
	"log/slog"
	"time"

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
	burst := float64(10 * j.o.Rate)
	b := j.buckets[e.Source]
	if b == nil {
		if len(j.buckets) >= 256 { // names come from a program, and are few; if not, they share
			b = j.buckets[""]
		}
		if b == nil {
			b = &bucket{tokens: burst, at: now.Boot}
			j.buckets[e.Source] = b
		}
	}
	b.tokens = min(burst, b.tokens+float64(j.o.Rate)*(now.Boot-b.at).Seconds())
	b.at = now.Boot
	if b.tokens < 1 {
		b.held++
		return true
	}
	b.tokens--
	if b.held > 0 {
		j.push(heldBack(e.Source, b.held), now)
		b.held = 0
	}
	return false
}

func heldBack(source string, n int) Entry {
	return Entry{Level: slog.LevelWarn.String(), Code: prompt.LogJournal, Source: "journal",
		Fields: []Pair{{Key: "what", Value: "held-back"}, {Key: "of", Value: source}, {Key: "n", Value: int64(n)}}}
}
