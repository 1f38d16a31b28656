package days

import (
	"container/heap"
	"time"
)

// visit is something that somebody does at the counter.
type visit struct {
	at  time.Duration // logical
	seq int           // of two at one time, the first made comes first
	do  func()
}

// agenda is who comes when. Only one is served at a time; the others wait.
type agenda struct {
	list visits
	seq  int
}

type visits []visit

func (v visits) Len() int { return len(v) }
func (v visits) Less(i, j int) bool {
	return v[i].at < v[j].at || v[i].at == v[j].at && v[i].seq < v[j].seq
}
func (v visits) Swap(i, j int) { v[i], v[j] = v[j], v[i] }
func (v *visits) Push(x any)   { *v = append(*v, x.(visit)) }
func (v *visits) Pop() any {
	old := *v
	x := old[len(old)-1]
	old[len(old)-1] = visit{}
	*v = old[:len(old)-1]
	return x
}

// add makes a visit.
func (a *agenda) add(at time.Duration, do func()) {
	a.seq++
	heap.Push(&a.list, visit{at, a.seq, do})
}

// next takes the first visit before a time.
func (a *agenda) next(before time.Duration) (visit, bool) {
	if len(a.list) == 0 || a.list[0].at >= before {
		return visit{}, false
	}
	return heap.Pop(&a.list).(visit), true
}

// clear sends everybody home.
func (a *agenda) clear() { a.list = a.list[:0] }
