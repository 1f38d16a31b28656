package care

import (
	"testing"
	"time"
)

func TestStages(t *testing.T) {
	var s Stages
	if s.Lines() != nil {
		t.Error("nothing measured, and lines")
	}
	for i := range 250 {
		s.Add(StageHost, time.Duration(1+i%100)*100*time.Millisecond) // up to 10 s
		s.Add(StageWrite, 3*time.Millisecond)
	}
	s.Add(StageDial, -time.Second)
	s.Add(stages, time.Second)
	if p50, p95, n := s.Of(StageHost); n != stageMost || p50 != 5*time.Second || p95 != 9500*time.Millisecond {
		t.Errorf("%v %v of %d", p50, p95, n)
	}
	got := s.Lines()
	if len(got) != 3 || got[0].A[0] != "@stage.host" || got[0].A[1] != "5.0s" || got[0].A[2] != "9.5s" || got[1].A[1] != "3ms" ||
		got[2].Key != "stage.slow" || got[2].A[0] != "@stage.host" {
		t.Errorf("%v", got)
	}
}
