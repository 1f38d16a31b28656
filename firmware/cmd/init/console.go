package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// console is the board's first serial port. It is slow, and nothing waits for it:
// what does not fit in the queue is counted and dropped, with a line that says so.
type console struct {
	queue   chan string
	dropped atomic.Int64
	pending atomic.Int64
}

// queueLines are kept while the console is busy.
const queueLines = 512

func newConsole() *console { return &console{queue: make(chan string, queueLines)} }

// open begins to write; before, /dev is not there.
func (c *console) open() {
	f, err := os.OpenFile("/dev/console", os.O_WRONLY, 0)
	if err != nil {
		return
	}
	go func() {
		for s := range c.queue {
			f.WriteString(s + "\n")
			c.pending.Add(-1)
			if n := c.dropped.Swap(0); n > 0 {
				fmt.Fprintf(f, "init: %d lines dropped\n", n)
			}
		}
	}()
}

func (c *console) printf(format string, a ...any) { c.line("init: " + fmt.Sprintf(format, a...)) }

func (c *console) line(s string) {
	c.pending.Add(1)
	select {
	case c.queue <- s:
	default:
		c.pending.Add(-1)
		c.dropped.Add(1)
	}
}

// drain gives the console a second for its last words.
func (c *console) drain(m *machine) {
	for i := 0; i < 100 && c.pending.Load() > 0; i++ {
		m.sleep(10 * time.Millisecond)
	}
}
