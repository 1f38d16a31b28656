package hal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"swipewell/hal"
	"swipewell/hal/haltest"
)

func TestSteppedClock(t *testing.T) {
	haltest.Clock(t, func(t *testing.T) haltest.ClockBench {
		c := hal.NewSteppedClock(nil, time.Unix(1_800_000_000, 0))
		return haltest.ClockBench{Clock: c, Pass: c.Jump}
	})
}

func TestSystemClock(t *testing.T) {
	haltest.Clock(t, func(t *testing.T) haltest.ClockBench {
		return haltest.ClockBench{Clock: hal.SystemClock{}, Pass: func(d time.Duration) {
			hal.Sleep(context.Background(), hal.SystemClock{}, min(d, 50*time.Millisecond))
		}}
	})
}

// Whatever holds a secret and however it is printed, its bytes do not show.
func TestSecretNeverPrints(t *testing.T) {
	s := hal.NewSecret([]byte("6225880000000004"))
	type holder struct {
		hidden *hal.Secret
		copied hal.Secret
		Open   *hal.Secret
		list   []any
	}
	for _, v := range []any{s, *s, &s, holder{s, *s, s, []any{s, *s}}, map[string]any{"x": s}} {
		for _, flag := range []string{"", "+", "#"} {
			for verb := 'A'; verb <= 'z'; verb++ {
				out := fmt.Sprintf("%"+flag+string(verb), v)
				for _, leak := range []string{"622588", "36323235", "54 50 50 53", "0x36, 0x32", "\\x36"} {
					if strings.Contains(out, leak) {
						t.Fatalf("%T by %%%s%c: %s", v, flag, verb, out)
					}
				}
			}
		}
		js, err := json.Marshal(v)
		if err != nil || strings.Contains(string(js), "622588") || strings.Contains(string(js), "NjIyNTg4") {
			t.Errorf("%T as JSON: %s %v", v, js, err)
		}
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "s", s)
	if strings.Contains(b.String(), "622588") || !strings.Contains(b.String(), "[secret]") {
		t.Error(b.String())
	}
}

func TestSecretWipe(t *testing.T) {
	raw := []byte("1234")
	s := hal.NewSecret(raw)
	copied := *s
	s.Wipe()
	s.Wipe()
	if string(raw) != "\x00\x00\x00\x00" || s.Len() != 0 {
		t.Error("not wiped")
	}
	copied.Use(func(b []byte) {
		if strings.Trim(string(b), "\x00") != "" {
			t.Error("a copy still has the bytes")
		}
	})
	var none *hal.Secret
	none.Wipe()
	none.Use(func(b []byte) {
		if b != nil {
			t.Error("something out of nothing")
		}
	})
	if none.Len() != 0 || new(hal.Secret).Len() != 0 {
		t.Error("empty is not empty")
	}
}

// A timer that has fired runs until its function returns, by a jump or by time: a
// bench that jumps again before that takes time away from it.
func TestSteppedClockRunning(t *testing.T) {
	c := hal.NewSteppedClock(nil, time.Unix(1_800_000_000, 0))
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	c.AfterFunc(time.Minute, func() { close(begun); <-end; close(ended) })
	if c.Running() {
		t.Error("it runs before its time")
	}
	c.Jump(time.Minute)
	if !c.Running() { // perhaps not begun yet
		t.Error("fired, and not running")
	}
	<-begun
	if !c.Running() {
		t.Error("under way, and not running")
	}
	close(end)
	<-ended
	for i := 0; c.Running(); i++ {
		if i > 1_000_000 {
			t.Fatal("it runs for ever")
		}
		runtime.Gosched()
	}
}
