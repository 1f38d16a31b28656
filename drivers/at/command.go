package at

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"swipewell/hal"
)

// errSilent says that a command got no final result in its time.
var errSilent = errors.New("at: no answer from the modem")

// CommandError is a modem's refusal.
type CommandError struct {
	Command string // without its arguments
	Result  string // "ERROR", "+CME ERROR: 10", "SEND FAIL"
}

func (e *CommandError) Error() string { return "at: " + e.Command + ": " + e.Result }

// command is one exchange under way. Only the reader goroutine and the caller
// that holds m.turn touch it, and the first only through m.mu.
type command struct {
	prefix string // information lines that belong to it begin so; "" none
	maybe  bool   // it may end without any: nothing to list
	info   []string
	prompt bool          // a prompt is awaited
	done   chan string   // the final result
	asked  chan struct{} // the prompt came
}

// ask sends one command and waits for its final result. An OK that comes
// before the information line that the command must have is not its own.
func (m *Modem) ask(ctx context.Context, text, prefix string, limit time.Duration) ([]string, error) {
	c, err := m.begin(text, prefix, false)
	if err != nil {
		return nil, err
	}
	return m.answer(ctx, c, text, limit)
}

// list is ask for a command whose answer may be empty. It must only be sent on
// a channel that is in step.
func (m *Modem) list(ctx context.Context, text, prefix string, limit time.Duration) ([]string, error) {
	c := &command{prefix: prefix, maybe: true, done: make(chan string, 1), asked: make(chan struct{}, 1)}
	if err := m.start(c, text); err != nil {
		return nil, err
	}
	return m.answer(ctx, c, text, limit)
}

func (m *Modem) answer(ctx context.Context, c *command, text string, limit time.Duration) ([]string, error) {
	res, err := m.finish(ctx, c, text, limit)
	if err != nil {
		return c.info, err
	}
	if res != "OK" && res != "SEND OK" && !strings.HasPrefix(res, "CONNECT") {
		return c.info, &CommandError{Command: strings.SplitN(text, "=", 2)[0], Result: res}
	}
	return c.info, nil
}

func (m *Modem) begin(text, prefix string, prompt bool) (*command, error) {
	c := &command{prefix: prefix, prompt: prompt, done: make(chan string, 1), asked: make(chan struct{}, 1)}
	return c, m.start(c, text)
}

func (m *Modem) start(c *command, text string) error {
	m.mu.Lock()
	m.cur = c
	m.parser.WantPrompt(c.prompt)
	m.mu.Unlock()
	err := m.write([]byte(text + "\r"))
	if err != nil {
		m.end(c)
	}
	return err
}

func (m *Modem) end(c *command) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cur == c {
		m.cur = nil
		m.parser.WantPrompt(false)
	}
}

func (m *Modem) finish(ctx context.Context, c *command, text string, limit time.Duration) (string, error) {
	defer m.end(c)
	ctx, cancel := hal.WithTimeout(ctx, m.o.Clock, limit)
	defer cancel()
	select {
	case res := <-c.done:
		return res, nil
	case <-ctx.Done():
		m.outOfStep()
		if hal.TimedOut(ctx) {
			return "", fmt.Errorf("%w: %s", errSilent, strings.SplitN(text, "=", 2)[0])
		}
		return "", ctx.Err()
	case <-m.dead:
		return "", m.deviceError()
	}
}

// outOfStep: a reply may still come that belongs to no later command.
func (m *Modem) outOfStep() {
	m.mu.Lock()
	m.stale = true
	m.mu.Unlock()
}

// sync brings the channel into step again. What the modem still owes comes in
// order before the answer to this probe, and an OK without "+CSQ:" in front is
// not that answer; so once it is in, nothing of before can follow.
func (m *Modem) sync(ctx context.Context, limit time.Duration) error {
	m.mu.Lock()
	stale := m.stale
	m.mu.Unlock()
	if stale {
		m.write([]byte{0x1B}) // leave a prompt that came too late. TCPIP §2.3.9
		m.write([]byte("\r"))
	}
	info, err := m.ask(ctx, "AT+CSQ", "+CSQ:", limit)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.stale = false
	m.mu.Unlock()
	m.takeCSQ(info)
	return nil
}

// line is called by the reader for each line, in order.
func (m *Modem) line(l string) {
	m.mu.Lock()
	c := m.cur
	switch {
	case c != nil && c.prefix != "" && strings.HasPrefix(l, c.prefix) && !(c.prefix == "+CREG:" && len(c.info) > 0):
		c.info = append(c.info, l)
		m.mu.Unlock()
		return
	case isFinal(l):
		if c != nil && !(l == "OK" && c.prefix != "" && !c.maybe && len(c.info) == 0) {
			select {
			case c.done <- l:
			default:
			}
			m.cur = nil
		}
		m.mu.Unlock()
		return
	}
	m.mu.Unlock()
	if isIndication(l) {
		m.indication(l)
	}
}

func (m *Modem) promptCame() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cur != nil && m.cur.prompt {
		select {
		case m.cur.asked <- struct{}{}:
		default:
		}
	}
}
