package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/firmware/role"
	"swipewell/hal"
)

// BenchPIN is the PIN of every role on the bench.
const BenchPIN = "2580"

// pinHash is made once a process: it is slow on purpose.
var pinHash = sync.OnceValue(func() string {
	h, err := role.Hash(BenchPIN)
	if err != nil {
		return "" // then nobody logs in
	}
	return h
})

// people are the bench's staff: two cashiers, two supervisors, a technician.
func people() string {
	text := ""
	for _, p := range []struct {
		n          int
		name, role string
	}{{1, "陈静", "cashier"}, {2, "李伟", "cashier"}, {90, "王芳", "supervisor"}, {91, "赵敏", "supervisor"}, {99, "张强", "technician"}} {
		text += fmt.Sprintf("[[operator]]\nnumber = %d\nname = %q\nrole = %q\npin = %q\n\n", p.n, p.name, p.role, pinHash())
	}
	return text
}

// login logs a role in at the service cable.
func (w *World) login(ctx context.Context, who string) error {
	if _, err := w.Service(ctx, "login "+who); err != nil {
		return err
	}
	out, err := w.Service(ctx, BenchPIN)
	if err == nil && !strings.Contains(out, who) {
		err = fmt.Errorf("login %s: %q", who, strings.TrimSpace(out))
	}
	return err
}

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
