package panel_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/panel"
	"swipewell/drivers/panel/panelsim"
	"swipewell/hal"
)

func both(t *testing.T, size panel.Size) (*panelsim.Server, *panel.Panel) {
	t.Helper()
	sock := filepath.Join(t.TempDir(), "p.sock")
	clock := hal.NewSteppedClock(hal.SystemClock{}, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))
	s, err := panelsim.Listen(panelsim.Opts{Socket: sock, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	p, err := panel.Open(panel.Opts{Socket: sock, Size: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); s.Close() })
	return s, p
}

// until waits for a state of the bench.
func until(t *testing.T, s *panelsim.Server, what string, ok func(panelsim.View) bool) panelsim.View {
	t.Helper()
	limit := time.After(5 * time.Second)
	for {
		v, changed := s.View()
		if ok(v) {
			return v
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestFrameArrives(t *testing.T) {
	for _, size := range []panel.Size{{W: 320, H: 240}, {W: 128, H: 64, Mono: true}} {
		s, p := both(t, size)
		m := image.NewRGBA(p.Display().Bounds())
		m.Set(5, 6, color.White)
		if err := p.Display().Draw(m.Bounds(), m, image.Point{}); err != nil {
			t.Fatal(err)
		}
		p.Display().(hal.Captioner).Caption(hal.Caption{Code: "P-IDL-01", Lines: []string{"请输入金额"}})
		v := until(t, s, "frame and caption", func(v panelsim.View) bool { return v.Frame != nil && v.Caption.Code != "" })
		if r, _, _, _ := v.Frame.At(5, 6).RGBA(); r != 0xFFFF {
			t.Errorf("%+v: the pixel is not lit", size)
		}
		if r, _, _, _ := v.Frame.At(6, 6).RGBA(); r != 0 {
			t.Errorf("%+v: its neighbour is", size)
		}
		before := v.Frames
		p.Display().Draw(m.Bounds(), m, image.Point{}) // the same again
		p.Lamps().Set("ready", hal.LampOn)
		if v := until(t, s, "lamp", func(v panelsim.View) bool { return v.Lamps["ready"] == "on" }); v.Frames != before {
			t.Error("an equal frame was sent again")
		}
	}
}

// While the PIN pad is active no key reaches the keypad, and what is typed is
// shown only as a count.
func TestPINIsSilent(t *testing.T) {
	s, p := both(t, panel.Size{})
	keys := make(chan hal.Key, 20)
	go func() {
		for {
			k, err := p.Keypad().ReadKey(context.Background())
			if err != nil {
				return
			}
			keys <- k
		}
	}()
	var counts []int
	done := make(chan hal.PINEntry)
	go func() {
		e, err := p.PINPad().Enter(t.Context(), hal.PINRules{MinDigits: 4, MaxDigits: 12, MayBypass: true}, func(n int) { counts = append(counts, n) })
		if err != nil {
			t.Error(err)
		}
		done <- e
	}()
	until(t, s, "PIN pad", func(v panelsim.View) bool { return v.PINActive })
	for _, k := range []hal.Key{hal.Key1, hal.Key2, hal.KeyClear, hal.Key3, hal.Key4, hal.KeyEnter, hal.Key5, hal.KeyEnter} {
		s.Key(k) // the first enter comes too early: three digits
	}
	e := <-done
	if e.Outcome != hal.PINEntered {
		t.Fatalf("outcome %v", e.Outcome)
	}
	e.Digits.Use(func(b []byte) {
		if string(b) != "1345" {
			t.Errorf("%d digits, and not those", len(b))
		}
	})
	if len(counts) == 0 || counts[len(counts)-1] != 4 {
		t.Errorf("counts %v", counts)
	}
	s.Key(hal.KeyMenu)
	if k := <-keys; k != hal.KeyMenu {
		t.Errorf("the keypad got %v during the PIN", k)
	}
}

func TestPINCancelBypassAndTimeout(t *testing.T) {
	s, p := both(t, panel.Size{})
	for key, want := range map[hal.Key]hal.PINOutcome{hal.KeyCancel: hal.PINCancelled, hal.KeyEnter: hal.PINBypassed} {
		done := make(chan hal.PINEntry)
		go func() {
			e, _ := p.PINPad().Enter(t.Context(), hal.PINRules{MinDigits: 4, MaxDigits: 12, MayBypass: true}, nil)
			done <- e
		}()
		s.Key(key)
		if e := <-done; e.Outcome != want || e.Digits.Len() != 0 {
			t.Errorf("%v: %v", key, e.Outcome)
		}
	}
	clock := hal.NewSteppedClock(nil, time.Unix(0, 0))
	ctx, cancel := hal.WithTimeout(t.Context(), clock, time.Minute)
	defer cancel()
	done := make(chan hal.PINEntry)
	go func() {
		e, _ := p.PINPad().Enter(ctx, hal.PINRules{MinDigits: 4, MaxDigits: 12}, nil)
		done <- e
	}()
	clock.Jump(time.Minute)
	if e := <-done; e.Outcome != hal.PINTimedOut {
		t.Errorf("time-out: %v", e.Outcome)
	}
}

func TestPaper(t *testing.T) {
	s, p := both(t, panel.Size{})
	slip := hal.Slip{Lines: []hal.PrintLine{{Text: "消费/SALE"}, {Text: "RMB 12.80", Style: hal.StyleBig}}, Cut: true}
	if err := p.Printer().Print(t.Context(), slip); err != nil {
		t.Fatal(err)
	}
	v := until(t, s, "slip", func(v panelsim.View) bool { return len(v.Slips) == 1 && v.Slips[0].Whole })
	if v.Slips[0].Lines[1] != slip.Lines[1] {
		t.Errorf("%+v", v.Slips[0])
	}
	s.SetPaper(false)
	var pe *hal.PrinterError
	for range 200 { // the word crosses a socket
		if err := p.Printer().Print(t.Context(), slip); errors.As(err, &pe) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if pe == nil || pe.Cause != hal.PaperOut {
		t.Errorf("no paper: %v", pe)
	}
}

// Advance fires the device's timers one deadline at a time, and those of the
// bench at the same instants.
func TestAdvance(t *testing.T) {
	s, p := both(t, panel.Size{})
	var stir uint64
	p.Bench().SetIdle(func() (bool, uint64) { return false, stir })
	start := p.Clock().Now()
	fired := make(chan time.Duration, 10)
	var again func()
	again = func() {
		p.Clock().AfterFunc(10*time.Second, func() {
			fired <- p.Clock().Now().Boot - start.Boot
			if len(fired) < 3 {
				again()
			}
		})
	}
	again()
	if err := s.Advance(t.Context(), time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		got, want := <-fired, time.Duration(10*(i+1))*time.Second
		if got < want || got > want+time.Second {
			t.Errorf("timer %d fired at %v, want %v", i, got, want)
		}
	}
	if d := p.Clock().Now().Wall.Sub(start.Wall); d < time.Minute {
		t.Errorf("the wall moved by %v", d)
	}
	wall := p.Clock().Now()
	s.StepWall(-time.Hour)
	for range 1000 {
		if n := p.Clock().Now(); n.Wall.Before(wall.Wall) {
			if n.Boot < wall.Boot {
				t.Error("boottime ran backwards")
			}
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the wall did not step")
}

func TestArmedPointStandsStill(t *testing.T) {
	s, p := both(t, panel.Size{})
	p.Bench().Point("sent") // not armed: returns
	s.Arm("sent")
	go func() {
		for {
			p.Bench().Point("sent")
			time.Sleep(time.Millisecond)
		}
	}()
	until(t, s, "point", func(v panelsim.View) bool { return v.Reached == "sent" })
}

func TestCutAndReconnect(t *testing.T) {
	s, p := both(t, panel.Size{})
	s.Key(hal.Key1)
	s.Cut()
	<-p.Done()
	if _, err := p.Keypad().ReadKey(t.Context()); err != nil && !errors.Is(err, panel.ErrGone) {
		t.Errorf("%v", err)
	}
	if v, _ := s.View(); v.Connected || v.Frame != nil {
		t.Error("still lit")
	}
	q, err := panel.Open(panel.Opts{Socket: strings.TrimSuffix(strings.TrimPrefix(p.String(), "panel ("), ")")})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	s.Key(hal.KeyMenu)
	if k, err := q.Keypad().ReadKey(t.Context()); k != hal.KeyMenu || err != nil {
		t.Errorf("%v %v: a key of before the cut was kept", k, err)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(panel.AppendMessage(nil, panel.MsgKey, []byte(`{"key":"1"}`)))
	f.Add([]byte{'K', 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, payload, err := panel.ReadMessage(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, panel.AppendMessage(nil, typ, payload)) {
			t.Error("does not re-pack")
		}
	})
}
