package console

import (
	"slices"
	"strings"
	"sync"
)

// history is what the arrow keys bring back, of this login only. It keeps what
// begins with a command: a PIN that is typed at the wrong prompt is none, and an
// answer to a challenge is asked for with off set.
type history struct {
	mu    sync.Mutex
	lines []string // the last one first
	off   bool
}

const maxHistory = 100

func (h *history) Add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := strings.Fields(line)
	if h.off || len(w) == 0 {
		return
	}
	c, many := commands.match(w[0])
	if c == nil && len(many) == 0 || c != nil && c.name == "login" && len(w) > 2 {
		return
	}
	if len(h.lines) > 0 && h.lines[0] == line {
		return
	}
	h.lines = slices.Insert(h.lines, 0, line)
	h.lines = h.lines[:min(len(h.lines), maxHistory)]
}

func (h *history) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lines)
}

// At may come behind a forget of another goroutine.
func (h *history) At(i int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i < 0 || i >= len(h.lines) {
		return ""
	}
	return h.lines[i]
}

func (h *history) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.lines)
	h.lines = h.lines[:0]
}

// private keeps what is typed while f runs out of it.
func (h *history) private(f func()) {
	set := func(on bool) { h.mu.Lock(); h.off = on; h.mu.Unlock() }
	set(true)
	defer set(false)
	f()
}

func (h *history) isOff() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.off
}
