package throttle

import "time"

// Time is throttle time, since an arbitrary start. It never runs backwards.
type Time = time.Duration

// tick is the grain in which times are kept: a tenth of a second, so that 32
// bits last thirteen years.
const tick = 100 * time.Millisecond

func ticks(t Time) uint32 {
	n := max(t, 0) / tick
	return uint32(min(n, 1<<32-1))
}

func fromTicks(n uint32) Time { return Time(n) * tick }

// Moment is now, as rules see it.
type Moment struct {
	At Time
	// Day is the acquirer's calendar day, counted from 1970-01-01 in its time
	// zone, by the last clock that the host vouched for; it never goes back.
	Day int32
	// Minute of the week, 0 = Monday 00:00, likewise; -1 unknown.
	Minute int32
}

// Hour of the week, 0..167; -1 unknown.
func (m Moment) Hour() int {
	if m.Minute < 0 {
		return -1
	}
	return int(m.Minute/60) % 168
}

// Clock turns wall and logical time into moments that nobody at the device can
// move. The zero value trusts nothing yet.
type Clock struct {
	// Away is the time without power that the host's clock has proved.
	Away time.Duration `json:"away,omitempty"`
	// Wall (Unix ms, as the host said) was at Logical; Wall 0: the host has not
	// said yet.
	Wall    int64         `json:"wall,omitempty"`
	Logical time.Duration `json:"logical,omitempty"`
	// Doubt is an absence too long to believe a host's first word on it.
	Doubt time.Duration `json:"doubt,omitempty"`
	// Day never goes back.
	Day int32 `json:"day,omitempty"`
}

// most is the longest absence that one word of a host proves. A longer one counts
// as longGone until the host's next word says the same; farthest is beyond any
// holiday, and is believed of nobody. THROTTLE §3.2.
const (
	most     = 7 * 24 * time.Hour
	longGone = 15 * time.Minute
	farthest = 400 * 24 * time.Hour
	// slack is the error of a host's clock that has whole seconds, and of an
	// answer that may have taken half a minute.
	slack = 2 * time.Minute
)

const dayLength = 24 * time.Hour

// Now is the moment at a logical time. offset is the acquirer's zone.
func (c Clock) Now(logical time.Duration, offset time.Duration) Moment {
	m := Moment{At: logical + c.Away, Day: c.Day, Minute: -1}
	if c.Wall == 0 {
		return m
	}
	local := time.Duration(c.Wall)*time.Millisecond + logical - c.Logical + offset
	if local < 0 {
		return m
	}
	m.Day = max(c.Day, int32(local/dayLength))
	// 1970-01-01 was a Thursday.
	m.Minute = int32((local/time.Minute + 3*24*60) % (7 * 24 * 60))
	return m
}

// Told is the clock after the host said, under a MAC or with new keys, that its
// wall is at host (Unix ms). cold tells that it is the first word since a start:
// what is missing can then be time without power, and counts as gone by.
func (c Clock) Told(host int64, logical time.Duration, offset time.Duration, cold bool) Clock {
	gap := time.Duration(host-c.Wall)*time.Millisecond - (logical - c.Logical)
	if c.Doubt != 0 && gap >= -slack && (gap <= slack || cold && gap <= most) {
		c.Away += c.Doubt
	}
	c.Doubt = 0
	switch {
	case c.Wall == 0 || !cold:
	case gap > farthest:
		c.Away += longGone
	case gap > most:
		c.Away += longGone
		c.Doubt = gap - longGone
	case gap > slack:
		c.Away += gap
	}
	c.Wall, c.Logical = host, logical
	c.Day = c.Now(logical, offset).Day
	return c
}
