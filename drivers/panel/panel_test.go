package panel_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/drivers/panel"
	"swipewell/drivers/panel/panelsim"
	"swipewell/hal"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// listen makes a bench, with the clock of the machine plus jumps.
func listen(t testing.TB, o panelsim.Opts) *panelsim.Server {
	t.Helper()
	if o.Socket == "" {
		o.Socket = filepath.Join(t.TempDir(), "p.sock")
	}
	if o.Clock == nil {
		o.Clock = hal.NewSteppedClock(hal.SystemClock{}, noon)
	}
	s, err := panelsim.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func both(t testing.TB, size panel.Size) (*panelsim.Server, *panel.Panel) {
	t.Helper()
	sock := filepath.Join(t.TempDir(), "p.sock")
	s := listen(t, panelsim.Opts{Socket: sock})
	return s, open(t, s, panel.Opts{Socket: sock, Size: size})
}

func open(t testing.TB, s *panelsim.Server, o panel.Opts) *panel.Panel {
	t.Helper()
	p, err := panel.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	until(t, s, "connected", func(v panelsim.View) bool { return v.Connected })
	return p
}

// until waits for a state of the bench.
func until(t testing.TB, s *panelsim.Server, what string, ok func(panelsim.View) bool) panelsim.View {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	v, err := s.Wait(ctx, ok)
	if err != nil {
		t.Fatalf("never: %s", what)
	}
	return v
}

// in gives what f sends, or fails.
func in[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("never: %s", what)
		panic("unreachable")
	}
}

func draw(t testing.TB, p *panel.Panel, m image.Image, code string) {
	t.Helper()
	p.Display().(hal.Captioner).Caption(hal.Caption{Code: code, Lines: []string{"请刷卡 Swipe card"}})
	if err := p.Display().Draw(p.Display().Bounds(), m, m.Bounds().Min); err != nil {
		t.Fatal(err)
	}
}

func TestFrameAndCaptionArrive(t *testing.T) {
	for _, size := range []panel.Size{{}, {W: 128, H: 64, Mono: true}, {W: 21, H: 3, Mono: true}, {W: 7, H: 5}} {
		s, p := both(t, size)
		m := image.NewRGBA(p.Display().Bounds())
		m.Set(5, 2, color.White)
		draw(t, p, m, "P-IDL-01")
		v := until(t, s, "caption", func(v panelsim.View) bool { return v.Caption.Code == "P-IDL-01" })
		if v.Frame == nil || v.FrameAt.IsZero() {
			t.Fatalf("%+v: the words came before the picture", size)
		}
		for x := range p.Display().Bounds().Dx() {
			r, g, b, _ := v.Frame.At(x, 2).RGBA()
			if lit := r == 0xFFFF && g == 0xFFFF && b == 0xFFFF; lit != (x == 5) {
				t.Errorf("%+v: pixel %d lit: %v", size, x, lit)
			}
		}
		before := v.Frames
		draw(t, p, m, "P-IDL-01") // the same again
		p.Lamps().Set("ready", hal.LampOn)
		if v := until(t, s, "lamp", func(v panelsim.View) bool { return v.Lamps["ready"] == "on" }); v.Frames != before {
			t.Errorf("%+v: an equal frame was sent again", size)
		}
	}
}

// Whatever is drawn in whatever pieces, the bench shows what image/draw would.
func TestDrawProperty(t *testing.T) {
	size := panel.Size{W: 24, H: 16}
	s, p := both(t, size)
	want := image.NewRGBA(image.Rect(0, 0, size.W, size.H))
	for i := range want.Pix {
		if i%4 == 3 {
			want.Pix[i] = 0xFF
		}
	}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		span := rapid.IntRange(-6, 30)
		src := image.NewRGBA(image.Rect(0, 0, 20, 20))
		c := color.RGBA{uint8(rapid.Byte().Draw(rt, "r")) & 0xF8, 0, uint8(rapid.Byte().Draw(rt, "b")) & 0xF8, 255}
		for i := range 400 {
			src.SetRGBA(i%20, i/20, c)
		}
		r := image.Rect(span.Draw(rt, "x0"), span.Draw(rt, "y0"), span.Draw(rt, "x1"), span.Draw(rt, "y1"))
		sp := image.Pt(span.Draw(rt, "sx"), span.Draw(rt, "sy"))
		n++
		code := "c" + string(rune('a'+n%20))
		p.Display().(hal.Captioner).Caption(hal.Caption{Code: code})
		if err := p.Display().Draw(r, src, sp); err != nil {
			rt.Fatal(err)
		}
		clip := r.Intersect(want.Bounds()).Intersect(src.Bounds().Add(r.Min.Sub(sp)))
		for y := clip.Min.Y; y < clip.Max.Y; y++ {
			for x := clip.Min.X; x < clip.Max.X; x++ {
				want.SetRGBA(x, y, c)
			}
		}
		v := until(t, s, "caption", func(v panelsim.View) bool { return v.Caption.Code == code })
		for y := range size.H {
			for x := range size.W {
				got, exp := v.Frame.At(x, y).(color.RGBA), want.RGBAAt(x, y)
				if got.R&0xF8 != exp.R || got.B&0xF8 != exp.B {
					rt.Fatalf("pixel %d,%d is %v, want %v", x, y, got, exp)
				}
			}
		}
	})
}

func TestKeys(t *testing.T) {
	s, p := both(t, panel.Size{})
	var want, got []hal.Key
	for k := hal.Key0; k <= hal.KeyF4; k++ {
		want = append(want, k)
		if err := s.Key(k); err != nil {
			t.Fatal(err)
		}
	}
	for range want {
		k, err := p.Keypad().ReadKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, k)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Keypad().ReadKey(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

func TestLampsSoundsTamper(t *testing.T) {
	s, p := both(t, panel.Size{})
	if err := p.Lamps().Set("disco", hal.LampOn); err == nil {
		t.Error("a lamp that is not there was lit")
	}
	p.Lamps().Set("alarm", hal.LampBlink)
	p.Sounder().Sound(hal.ToneBad)
	v := until(t, s, "sound", func(v panelsim.View) bool { return v.Sounds == 1 })
	if v.Lamps["alarm"] != "blink" {
		t.Errorf("lamps %v", v.Lamps)
	}
	s.Tamper("case")
	if which, err := p.Tamper().Wait(t.Context()); which != "case" || err != nil {
		t.Errorf("tamper: %q %v", which, err)
	}
}

func TestPaper(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "p.sock")
	told := make(chan panelsim.Slip, 10)
	s := listen(t, panelsim.Opts{Socket: sock, Slip: func(s panelsim.Slip) { told <- s }})
	p := open(t, s, panel.Opts{Socket: sock})
	slip := hal.Slip{Lines: []hal.PrintLine{{Text: "消费/SALE"}, {Text: "RMB 12.80", Style: hal.StyleBig}}, Cut: true}
	if err := p.Printer().Print(t.Context(), slip); err != nil {
		t.Fatal(err)
	}
	v, _ := s.View() // Print has returned: the paper is out
	if d := cmp.Diff([]panelsim.Slip{{Lines: slip.Lines, Whole: true}}, v.Slips); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(v.Slips[0], in(t, "word of the slip", told)); d != "" {
		t.Error(d)
	}
	s.SetPaper(false)
	var pe *hal.PrinterError
	if err := p.Printer().Print(t.Context(), slip); !errors.As(err, &pe) || pe.Cause != hal.PaperOut {
		t.Errorf("without paper: %v", err)
	}
	s.SetPaper(true)
	if err := p.Printer().Print(t.Context(), slip); err != nil {
		t.Errorf("with paper again: %v", err)
	}
	if v, _ := s.View(); len(v.Slips) != 2 || !v.Slips[1].Whole {
		t.Errorf("slips %+v", v.Slips)
	}
}

// Where the power fails while printing, half a slip hangs out.
func TestTornSlip(t *testing.T) {
	s, p := both(t, panel.Size{})
	s.Arm("printing")
	lines := []hal.PrintLine{{Text: "1"}, {Text: "2"}, {Text: "3"}, {Text: "4"}}
	go p.Printer().Print(context.Background(), hal.Slip{Lines: lines})
	if at := in(t, "point", s.Reached()); at != "printing" {
		t.Errorf("at %q", at)
	}
	s.Cut()
	v, _ := s.View()
	if d := cmp.Diff([]panelsim.Slip{{Lines: lines[:2]}}, v.Slips); d != "" {
		t.Error(d)
	}
}

// The paper ends in a slip: the device is told, and what hangs out is torn.
func TestPaperEndsInASlip(t *testing.T) {
	s, p := both(t, panel.Size{})
	started := make(chan error, 1)
	lines := make([]hal.PrintLine, 2000)
	go func() { started <- p.Printer().Print(context.Background(), hal.Slip{Lines: lines}) }()
	until(t, s, "first lines", func(v panelsim.View) bool { return len(v.Slips) > 0 })
	s.SetPaper(false)
	err := in(t, "end of printing", started)
	v, _ := s.View()
	var pe *hal.PrinterError
	if torn := errors.As(err, &pe) && pe.Cause == hal.PaperOut; torn == v.Slips[0].Whole {
		t.Errorf("Print said %v, and the slip is whole: %v", err, v.Slips[0].Whole)
	}
}

func TestArmedPointStandsStill(t *testing.T) {
	s, p := both(t, panel.Size{})
	p.Bench().Point("sent") // not armed: returns
	s.Arm("sent")
	p.Bench().Point("intent") // another one: returns
	passed := make(chan struct{})
	go func() {
		p.Bench().Point("sent")
		close(passed)
	}()
	if at := in(t, "point", s.Reached()); at != "sent" {
		t.Errorf("at %q", at)
	}
	if err := s.Settle(t.Context()); !errors.Is(err, panelsim.ErrOff) {
		t.Errorf("a device that stands still was called idle: %v", err)
	}
	select {
	case <-passed:
		t.Error("it went on")
	default:
	}
	s.Cut()
	<-p.Done()
	// The point was for that sale: the device that starts next runs.
	p = open(t, s, panel.Opts{Socket: socket(p)})
	p.Bench().Point("sent")
}

func socket(p *panel.Panel) string {
	return strings.TrimSuffix(strings.TrimPrefix(p.String(), "panel ("), ")")
}

func TestStoreFaultIsKnownAtOnce(t *testing.T) {
	s, p := both(t, panel.Size{})
	for _, f := range []string{"full", "readonly", "eio", ""} {
		s.SetStoreFault(f)
		if got := p.Bench().StoreFault(); got != f {
			t.Errorf("%q, want %q", got, f)
		}
	}
}

// The hello carries the world; the screen goes dark with the power, keys that
// nobody read are gone, and boottime begins anew.
func TestCutAndReconnect(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "p.sock")
	clock := hal.NewSteppedClock(hal.SystemClock{}, noon)
	s := listen(t, panelsim.Opts{Socket: sock, Clock: clock})
	s.SetPaper(false)
	s.SetStoreFault("full")
	clock.Jump(time.Hour)
	p := open(t, s, panel.Opts{Socket: sock})
	if b := p.Clock().Now().Boot; b < time.Hour {
		t.Errorf("boottime %v, an hour after the power came", b)
	}
	draw(t, p, image.NewRGBA(p.Display().Bounds()), "P-IDL-01")
	until(t, s, "frame", func(v panelsim.View) bool { return v.Frame != nil })
	s.Key(hal.Key1)
	s.Cut()
	in(t, "word of the cut", p.Done())
	if _, err := p.Keypad().ReadKey(t.Context()); !errors.Is(err, panel.ErrGone) {
		t.Errorf("ReadKey without power: %v", err)
	}
	if err := p.Printer().Print(t.Context(), hal.Slip{Lines: []hal.PrintLine{{Text: "x"}}}); err == nil {
		t.Error("printed without power")
	}
	if v, _ := s.View(); v.Connected || v.Frame != nil || v.Caption.Code != "" || len(v.Lamps) != 0 {
		t.Errorf("still lit: %+v", v)
	}
	if err := s.Key(hal.Key1); !errors.Is(err, panelsim.ErrOff) {
		t.Errorf("a key without power: %v", err)
	}
	q := open(t, s, panel.Opts{Socket: sock})
	if b := q.Clock().Now().Boot; b > 50*time.Minute {
		t.Errorf("boottime %v after the cut", b)
	}
	if d := q.Clock().Now().Wall.Sub(clock.Now().Wall).Abs(); d > time.Second {
		t.Errorf("the walls are %v apart", d)
	}
	if q.Bench().StoreFault() != "full" {
		t.Error("the store's fault was forgotten")
	}
	var pe *hal.PrinterError
	if err := q.Printer().Print(t.Context(), hal.Slip{Lines: []hal.PrintLine{{Text: "x"}}}); !errors.As(err, &pe) {
		t.Errorf("the paper came back: %v", err)
	}
	s.Key(hal.KeyMenu)
	if k, err := q.Keypad().ReadKey(t.Context()); k != hal.KeyMenu || err != nil {
		t.Errorf("%v %v: a key of before the cut was kept", k, err)
	}
}

// A new device replaces one that the bench has not yet seen die.
func TestNewDeviceReplacesOld(t *testing.T) {
	s, p := both(t, panel.Size{})
	q, err := panel.Open(panel.Opts{Socket: socket(p)})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	in(t, "the old one's end", p.Done())
	s.Key(hal.Key7)
	if k, err := q.Keypad().ReadKey(t.Context()); k != hal.Key7 || err != nil {
		t.Errorf("%v %v", k, err)
	}
}

// A bench that is not there, not ours or of another version opens nothing.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := panel.Open(panel.Opts{Socket: filepath.Join(dir, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
	for name, hello := range map[string][]byte{
		"version": panel.AppendMessage(nil, panel.MsgHello, []byte(`{"version":99}`)),
		"type":    panel.AppendMessage(nil, panel.MsgKey, []byte{1}),
		"json":    panel.AppendMessage(nil, panel.MsgHello, []byte(`{`)),
		"noise":   []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"short":   {'H', 0, 0, 0, 9, '{'},
	} {
		sock := filepath.Join(dir, name)
		ln, err := net.Listen("unix", sock)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if c, err := ln.Accept(); err == nil {
				c.Write(hello)
				c.Close()
			}
		}()
		if p, err := panel.Open(panel.Opts{Socket: sock}); !errors.Is(err, panel.ErrWire) {
			t.Errorf("%s: %v %v", name, p, err)
		}
		ln.Close()
	}
}

// The bench hangs up on a device that breaks the rules.
func TestServerRefuses(t *testing.T) {
	ready := panel.AppendMessage(nil, panel.MsgReady, []byte(`{"version":2,"w":8,"h":8,"mono":true}`))
	for name, talk := range map[string][]byte{
		"version": panel.AppendMessage(nil, panel.MsgReady, []byte(`{"version":1,"w":8,"h":8}`)),
		"size":    panel.AppendMessage(nil, panel.MsgReady, []byte(`{"version":2,"w":-8,"h":8}`)),
		"rows":    panel.AppendMessage(ready, panel.MsgFrame, []byte{0, 7, 0, 2, 1, 2}),
		"pixels":  panel.AppendMessage(ready, panel.MsgFrame, []byte{0, 0, 0, 2, 1}),
		"caption": panel.AppendMessage(ready, panel.MsgCaption, []byte(`[]`)),
		"huge":    {'f', 0xFF, 0xFF, 0xFF, 0xFF},
	} {
		sock := filepath.Join(t.TempDir(), "p.sock")
		listen(t, panelsim.Opts{Socket: sock})
		c, err := net.Dial("unix", sock)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if typ, _, err := panel.ReadMessage(c); typ != panel.MsgHello || err != nil {
			t.Fatalf("%s: %c %v", name, typ, err)
		}
		c.Write(talk)
		if _, err := io.Copy(io.Discard, c); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: still connected", name)
		}
		c.Close()
	}
}

// Listen takes the place of a dead socket, never of a file.
func TestListenKeepsFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := panelsim.Listen(panelsim.Opts{Socket: name}); err == nil {
		s.Close()
		t.Error("a file was replaced")
	}
	if b, err := os.ReadFile(name); string(b) != "x" {
		t.Errorf("%q %v", b, err)
	}
}
