package throttle

import "time"

// The penalty ladder of a card. THROTTLE §3.4: each stop that reached a
// cool-down or more is a step up, each half hour of peace one down.
const (
	maxLevel  = 4
	decayCard = 30 * time.Minute
	maxCool   = 30 * time.Minute
)

// coolFor is the cool-down of a level: 15, 60, 240, 960 s.
func coolFor(level uint8) time.Duration {
	if level == 0 {
		return 0
	}
	return min(15*time.Second<<(2*(min(level, maxLevel)-1)), maxCool)
}

// Level is the penalty of the card at now, after what has decayed.
func (c Card) Level(now Time) int {
	if c.level == 0 {
		return 0
	}
	down := max(now-fromTicks(c.since), 0) / decayCard
	return max(int(c.level)-int(down), 0)
}

// cooled is the card after a cool-down was imposed: at least so long, and as
// long as its new level says.
func (c Card) cooled(now Time, least time.Duration) Card {
	c.level = uint8(min(c.Level(now)+1, maxLevel))
	c.since = ticks(now)
	c.cool = ticks(now + max(least, coolFor(c.level)))
	return c
}

// penalised is the card after a stop above a cool-down: a level up, no time.
func (c Card) penalised(now Time) Card {
	c.level = uint8(min(c.Level(now)+1, maxLevel))
	if paid := c.paidSince(); c.Cooling(now) == 0 || !paid {
		if paid {
			c.cool = 0 // what was waited out is no longer the newest
		}
		c.since = ticks(now)
	}
	return c
}

// paidSince tells that something became of the card after its last stop: a second
// person let it pass.
func (c Card) paidSince() bool {
	newest, ok := c.Newest()
	return ok && ticks(newest.At) > c.since
}

// Cooling is how long the card still waits; 0 if it does not.
func (c Card) Cooling(now Time) time.Duration { return max(fromTicks(c.cool)-now, 0) }

// served tells that a whole cool-down was waited out since the card's last
// outcome: it is not imposed for the same history again. A payment that a second
// person let through meanwhile is new history.
func (c Card) served(now Time) bool {
	if c.cool == 0 || c.Cooling(now) > 0 {
		return false
	}
	return !c.paidSince()
}
