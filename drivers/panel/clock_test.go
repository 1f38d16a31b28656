package panel_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"swipewell/drivers/panel"
	"swipewell/drivers/panel/panelsim"
	"swipewell/hal"
)

func blank(w, h int) image.Image { return image.NewRGBA(image.Rect(0, 0, w, h)) }

// still is a bench and a device on virtual time: nothing moves but by Advance.
func still(t *testing.T) (*panelsim.Server, *panel.Panel, *hal.SteppedClock) {
	t.Helper()
	sock := filepath.Join(t.TempDir(), "p.sock")
	clock := hal.NewSteppedClock(nil, noon)
	s := listen(t, panelsim.Opts{Socket: sock, Clock: clock})
	return s, open(t, s, panel.Opts{Socket: sock, Base: hal.NewSteppedClock(nil, noon)}), clock
}

type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, a ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, a...))
}

// Device and world fire their timers in one order of deadlines, each at its
// own time on both clocks (to the grain of a jump), also where one timer arms the next at the other end.
func TestAdvanceInOrder(t *testing.T) {
	s, p, world := still(t)
	var d diary
	at := func(c hal.Clock) time.Duration { return c.Now().Wall.Sub(noon).Round(100 * time.Millisecond) }
	var busy atomic.Int32
	p.Bench().SetIdle(func() (bool, uint64) { return busy.Load() > 0, 0 })
	p.Clock().AfterFunc(10*time.Second, func() {
		d.add("device asks at %v", at(p.Clock()))
		// The world's answer takes 3 s of the world's clock, and the device
		// looks at it 2 s of its own clock after that.
		world.AfterFunc(3*time.Second, func() {
			d.add("world answers at %v", at(world))
			p.Clock().AfterFunc(2*time.Second, func() { d.add("device looks at %v", at(p.Clock())) })
		})
	})
	world.AfterFunc(11*time.Second, func() { d.add("world ticks at %v", at(world)) })
	p.Clock().AfterFunc(time.Hour, func() { d.add("too early") })
	if err := s.Advance(t.Context(), time.Minute, func() { time.Sleep(time.Millisecond) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"device asks at 10s", "world ticks at 11s", "world answers at 13s", "device looks at 15s"}
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.lines); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]hal.Clock{"device": p.Clock(), "world": world} {
		if got := c.Now().Wall.Sub(noon); got != time.Minute {
			t.Errorf("%s: the wall moved by %v", name, got)
		}
	}
}

// Advance waits for work that a timer began, as the probe tells it.
func TestAdvanceWaitsForWork(t *testing.T) {
	s, p, _ := still(t)
	var busy, stir atomic.Int64
	p.Bench().SetIdle(func() (bool, uint64) { return busy.Load() > 0, uint64(stir.Load()) })
	var done atomic.Bool
	p.Clock().AfterFunc(time.Second, func() {
		busy.Add(1)
		time.Sleep(30 * time.Millisecond)
		stir.Add(1)
		done.Store(true)
		busy.Add(-1)
	})
	if err := s.Advance(t.Context(), 2*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	if !done.Load() {
		t.Error("Advance returned while the device worked")
	}
}

// A device that is off, or dies on the way, does not hold up the world.
func TestAdvanceWithoutDevice(t *testing.T) {
	s, p, world := still(t)
	p.Clock().AfterFunc(time.Second, func() { s.Cut() })
	fired := make(chan struct{})
	world.AfterFunc(30*time.Second, func() { close(fired) })
	if err := s.Advance(t.Context(), time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	in(t, "the world's timer", fired)
	if err := s.Advance(t.Context(), time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	if got := world.Now().Wall.Sub(noon); got != 2*time.Minute {
		t.Errorf("the world moved by %v", got)
	}
	if err := s.Settle(t.Context()); !errors.Is(err, panelsim.ErrOff) {
		t.Errorf("Settle: %v", err)
	}
}

// A device that reaches an armed point in an Advance does not hold it up.
func TestAdvanceOverAPoint(t *testing.T) {
	s, p, _ := still(t)
	s.Arm("outbox-try")
	p.Clock().AfterFunc(time.Second, func() { p.Bench().Point("outbox-try") })
	if err := s.Advance(t.Context(), time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	if at := in(t, "point", s.Reached()); at != "outbox-try" {
		t.Errorf("at %q", at)
	}
}

func TestAdvanceStopsWithItsContext(t *testing.T) {
	s, p, _ := still(t)
	p.Bench().SetIdle(func() (bool, uint64) { return true, 0 }) // never idle
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Advance(ctx, time.Hour, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// step and set move the wall alone, at both ends, and are done on return.
func TestWall(t *testing.T) {
	s, p, world := still(t)
	boot := p.Clock().Now().Boot
	s.StepWall(-time.Hour)
	for name, c := range map[string]hal.Clock{"device": p.Clock(), "world": world} {
		if got := c.Now().Wall; !got.Equal(noon.Add(-time.Hour)) {
			t.Errorf("%s after the step: %v", name, got)
		}
	}
	s.SetWall(time.Unix(0, 0))
	for name, c := range map[string]hal.Clock{"device": p.Clock(), "world": world} {
		if got := c.Now().Wall; !got.Equal(time.Unix(0, 0)) {
			t.Errorf("%s after the setting: %v", name, got)
		}
	}
	if b := p.Clock().Now().Boot; b != boot {
		t.Errorf("boottime moved by %v", b-boot)
	}
}

// A full frame must leave at once: nobody may wait for the screen.
func BenchmarkFullFrame(b *testing.B) {
	s, p := both(b, panel.Size{})
	var ms [2]*image.RGBA
	for i := range ms {
		ms[i] = image.NewRGBA(p.Display().Bounds())
		for j := range ms[i].Pix {
			ms[i].Pix[j] = byte(255 * i)
		}
	}
	n := 0
	for b.Loop() {
		n++
		if err := p.Display().Draw(ms[0].Bounds(), ms[n%2], image.Point{}); err != nil {
			b.Fatal(err)
		}
	}
	until(b, s, "last frame", func(v panelsim.View) bool { return v.Frames == n })
}

// One deadline of an Advance, device and world quiet.
func BenchmarkAdvance(b *testing.B) {
	s, p := both(b, panel.Size{})
	var again func()
	again = func() { p.Clock().AfterFunc(time.Minute, again) }
	again()
	for b.Loop() {
		if err := s.Advance(b.Context(), time.Minute, func() {}); err != nil {
			b.Fatal(err)
		}
	}
}
