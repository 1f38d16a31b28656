package hostlink

import (
	"context"
	"time"

	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// take gets the right to the line. A probe under way gives it up at once: a
// message never waits for one.
func (l *Line) take() {
	l.probeMu.Lock()
	l.waiting = true
	if l.unprobe != nil {
		l.unprobe()
	}
	l.probeMu.Unlock()
	l.sem <- struct{}{}
	l.probeMu.Lock()
	l.waiting = false
	l.probeMu.Unlock()
}

// giveBack ends the use of the line, and sees to it that a better way is looked
// for while nobody needs it.
func (l *Line) giveBack() {
	d, ok := l.router.Wake(l.now())
	<-l.sem
	l.probeMu.Lock()
	defer l.probeMu.Unlock()
	if l.stopProbe != nil {
		l.stopProbe()
		l.stopProbe = nil
	}
	if ok && !l.stopped {
		l.stopProbe = l.o.Clock.AfterFunc(max(d, time.Second), l.probe)
	}
}

// probe sends an echo by a better route that failed before, if the line is free.
func (l *Line) probe() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.probeMu.Lock()
	if l.stopped || l.waiting {
		l.probeMu.Unlock()
		return // whoever has the line sees to the next one
	}
	select {
	case l.sem <- struct{}{}:
	default: // the timer that closes a quiet link has it for a moment
		l.stopProbe = l.o.Clock.AfterFunc(time.Second, l.probe)
		l.probeMu.Unlock()
		return
	}
	l.unprobe = cancel
	l.probeMu.Unlock()
	l.stir.Add(1)
	l.look(ctx)
	l.stir.Add(1)
	l.probeMu.Lock()
	l.unprobe = nil
	l.probeMu.Unlock()
	l.giveBack()
}

func (l *Line) look(ctx context.Context) {
	if l.link != nil {
		// In use a moment ago: the echo has time until it is closed.
		l.stopIdleTimer()
		l.drop("idle", nil)
	}
	x, ok := l.router.Probe(l.now())
	if !ok || l.openBy(ctx, x) != nil {
		return
	}
	req := l.Echo()
	n, err := l.send(ctx, l.frame(req.raw))
	if err != nil || n == 0 {
		if ctx.Err() == nil || hal.TimedOut(ctx) {
			l.router.Failed(x, err, l.now())
		}
		l.drop("echo failed", err)
		return
	}
	r := l.await(ctx, req)
	l.stopIdleTimer()
	what := "echo " + l.name(x)
	if r.Kind != txn.Answered {
		what = "no echo " + l.name(x)
	}
	l.o.Notice(Notice{Code: prompt.LogLink, What: what})
	l.drop("echo done", nil)
}
