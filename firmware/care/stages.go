package care

import (
	"fmt"
	"slices"
	"time"
)

// Stage is a part of a sale that takes its time. THROTTLE §1 C3.
type Stage uint8

const (
	StagePIN Stage = iota
	StageDial
	StageHost  // from the last byte sent to the answer
	StageWrite // a commit
	StagePrint
	stages

	StageCount = stages
)

// stageKeys are the names among the texts; budgets are what a stage may take, nine
// of ten times and more: beyond it the stage is named.
var (
	stageKeys = [stages]string{"stage.pin", "stage.dial", "stage.host", "stage.write", "stage.print"}
	budgets   = [stages]time.Duration{30 * time.Second, 15 * time.Second, 8 * time.Second, 100 * time.Millisecond, 8 * time.Second}
)

// Key is the stage's name among the texts.
func (s Stage) Key() string { return stageKeys[min(s, stages-1)] }

// Stages keep how long the last stages took.
type Stages struct {
	took [stages][]time.Duration
}

const stageMost = 100

// Add takes one duration.
func (s *Stages) Add(i Stage, d time.Duration) {
	if d < 0 || i >= stages {
		return
	}
	if s.took[i] = append(s.took[i], d); len(s.took[i]) > stageMost {
		s.took[i] = slices.Delete(s.took[i], 0, 1)
	}
}

// Of gives the median and what 95 of 100 stay below; n is of how many.
func (s *Stages) Of(i Stage) (p50, p95 time.Duration, n int) {
	list := slices.Sorted(slices.Values(s.took[i]))
	if n = len(list); n == 0 {
		return 0, 0, 0
	}
	return list[(n-1)/2], list[(n-1)*95/100], n
}

// Lines are the stages with their times, and after them the one that takes longer
// than it should, by the most.
func (s *Stages) Lines() (page []Line) {
	slow, worst := stages, 1.0
	for i := range stages {
		p50, p95, n := s.Of(i)
		if n == 0 {
			continue
		}
		page = append(page, say("stage.row", "@"+i.Key(), short(p50), short(p95), num(n)))
		if over := float64(p95) / float64(budgets[i]); over > worst {
			slow, worst = i, over
		}
	}
	if slow < stages {
		page = append(page, say("stage.slow", "@"+slow.Key()))
	}
	return page
}

// short is a duration as a small screen has room for.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
