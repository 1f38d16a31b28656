package world

import (
	"context"
	"errors"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// readService collects what the console says on the cable.
func (w *World) readService(p *ttysim.Pair) {
	buf := make([]byte, 4096)
	for {
		n, err := p.Read(buf)
		w.mu.Lock()
		if w.service == p {
			w.svcOut = append(w.svcOut, buf[:n]...)
		}
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Service types one line at the service cable and gives what came back, until
// the cable has been quiet for a moment.
func (w *World) Service(ctx context.Context, text string) (string, error) {
	w.mu.Lock()
	p := w.service
	from := len(w.svcOut)
	w.mu.Unlock()
	if p == nil {
		return "", errors.New("service: the power is off")
	}
	if _, err := p.Write([]byte(text + "\r")); err != nil {
		return "", err
	}
	last, quiet := from, 0
	for i := 0; i < 250 && quiet < 15; i++ {
		if err := hal.Sleep(ctx, hal.SystemClock{}, 20*time.Millisecond); err != nil {
			return "", err
		}
		w.mu.Lock()
		n := len(w.svcOut)
		w.mu.Unlock()
		if n == last {
			quiet++
		} else {
			last, quiet = n, 0
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.svcOut[min(from, len(w.svcOut)):]), nil
}
