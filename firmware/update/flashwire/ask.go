package flashwire

import (
	"encoding/json"
	"time"
)

// Ask is one question to a device and its answer: what the laptop has to say
// outside of a transfer.
type Ask struct {
	Facts  Facts // the answer to Hello
	t      Type
	frame  []byte
	end    time.Duration // 0: not asked yet
	wait   time.Duration
	again  time.Duration
	done   bool
	result error
}

// NewHello asks who is there, for at most wait.
func NewHello(wait time.Duration) *Ask { return newAsk(Hello, nil, wait) }

// NewRestart asks the device to start again.
func NewRestart() *Ask { return newAsk(Restart, nil, askTries*askAgain) }

// NewNote tells what was done.
func NewNote(s Service) *Ask { return newAsk(Note, body(s.bounded()), askTries*askAgain) }

func newAsk(t Type, b []byte, wait time.Duration) *Ask {
	return &Ask{t: t, frame: AppendFrame(nil, t, b), wait: wait}
}

// Next gives the frame to send now, or when to come again. The error is
// [ErrSilent], or the device's [Trouble].
func (a *Ask) Next(now time.Duration) (frame []byte, wake time.Duration, err error) {
	if a.end == 0 {
		a.end = now + a.wait
	}
	switch {
	case a.result != nil:
		return nil, 0, a.result
	case a.done:
		return nil, now + time.Hour, nil
	case now >= a.end:
		a.result = ErrSilent
		return nil, 0, a.result
	case now < a.again:
		return nil, min(a.again, a.end), nil
	}
	a.again = now + askAgain
	return a.frame, 0, nil
}

// Done tells whether the device has answered yes.
func (a *Ask) Done() bool { return a.done }

// Got takes a frame of the device.
func (a *Ask) Got(f Frame) {
	switch {
	case a.done || a.result != nil:
	case f.Type == Failed:
		t := &Trouble{}
		if err := json.Unmarshal(f.Body, t); err != nil {
			t.Text = "an answer that cannot be read"
		}
		if !t.Again { // that is about a transfer
			a.result = t
		}
	case f.Type == Info && a.t == Hello:
		a.result = json.Unmarshal(f.Body, &a.Facts)
		a.done = a.result == nil
	case f.Type == Done && len(f.Body) == 1 && Type(f.Body[0]) == a.t:
		a.done = true
	}
}
