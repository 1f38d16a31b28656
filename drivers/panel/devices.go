package panel

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"

	"swipewell/hal"
)

// screen is the display.
type screen struct{ p *Panel }

func (s *screen) String() string              { return "panel display" }
func (s *screen) Halt() error                 { return nil }
func (s *screen) ColorModel() color.Model     { return color.RGBAModel }
func (s *screen) Bounds() image.Rectangle     { return image.Rect(0, 0, s.p.o.Size.W, s.p.o.Size.H) }
func (s *screen) Caption(c hal.Caption) error { return s.p.send(MsgCaption, c) }

// Draw sends the whole picture if it differs from the one shown.
func (s *screen) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	full := image.NewRGBA(s.Bounds())
	draw.Draw(full, r, src, sp, draw.Src)
	var pix []byte
	if s.p.o.Size.Mono {
		pix = pack1(full)
	} else {
		pix = pack565(full)
	}
	s.p.wmu.Lock()
	defer s.p.wmu.Unlock()
	if bytes.Equal(pix, s.p.last) {
		return nil
	}
	s.p.last = pix
	return s.p.write(AppendMessage(nil, MsgFrame, pix))
}

// pack565 is two bytes a pixel, big endian: RRRRRGGG GGGBBBBB.
func pack565(m *image.RGBA) []byte {
	out := make([]byte, len(m.Pix)/2)
	for i, j := 0, 0; i < len(m.Pix); i, j = i+4, j+2 {
		v := uint16(m.Pix[i]>>3)<<11 | uint16(m.Pix[i+1]>>2)<<5 | uint16(m.Pix[i+2]>>3)
		out[j], out[j+1] = byte(v>>8), byte(v)
	}
	return out
}

// pack1 is one bit a pixel, most significant first, 1 = lit; rows start on a byte.
func pack1(m *image.RGBA) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	row := (w + 7) / 8
	out := make([]byte, row*h)
	for y := range h {
		for x := range w {
			if m.Pix[m.PixOffset(x, y)] >= 0x80 {
				out[y*row+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return out
}

// wait blocks until cond holds. cond runs under p.mu.
func (p *Panel) wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		if cond() {
			p.mu.Unlock()
			return nil
		}
		changed := p.notify
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.gone:
			return ErrGone
		}
	}
}

// take1 takes the next key; under p.mu.
func (p *Panel) take1(k *hal.Key) bool {
	if len(p.keys) == 0 {
		return false
	}
	*k = p.keys[0]
	p.keys[0] = hal.KeyNone
	p.keys = p.keys[1:]
	return true
}

type keypad struct{ p *Panel }

func (keypad) String() string { return "panel keypad" }
func (keypad) Halt() error    { return nil }

// ReadKey is silent while the PIN pad is active.
func (k keypad) ReadKey(ctx context.Context) (key hal.Key, err error) {
	err = k.p.wait(ctx, func() bool { return !k.p.pin && k.p.take1(&key) })
	return key, err
}

type pinpad struct{ p *Panel }

func (pinpad) String() string { return "panel PIN pad" }
func (pinpad) Halt() error    { return nil }

// Enter takes the keys until the customer is done. Digits go into the entry
// and nowhere else; the buffer has its full size from the start, so that no
// growth leaves a copy behind.
func (d pinpad) Enter(ctx context.Context, rules hal.PINRules, count func(int)) (hal.PINEntry, error) {
	p := d.p
	p.setPIN(true)
	defer p.setPIN(false)
	digits := make([]byte, 0, rules.MaxDigits)
	for {
		var k hal.Key
		if err := p.wait(ctx, func() bool { return p.take1(&k) }); err != nil {
			clear(digits[:cap(digits)])
			if hal.TimedOut(ctx) {
				return hal.PINEntry{Outcome: hal.PINTimedOut}, nil
			}
			return hal.PINEntry{}, err
		}
		v, isDigit := k.Digit()
		switch {
		case isDigit && len(digits) < rules.MaxDigits:
			digits = append(digits, '0'+byte(v))
		case k == hal.KeyClear && len(digits) > 0:
			digits[len(digits)-1] = 0
			digits = digits[:len(digits)-1]
		case k == hal.KeyCancel:
			clear(digits[:cap(digits)])
			return hal.PINEntry{Outcome: hal.PINCancelled}, nil
		case k == hal.KeyEnter && len(digits) == 0 && rules.MayBypass:
			return hal.PINEntry{Outcome: hal.PINBypassed}, nil
		case k == hal.KeyEnter && len(digits) >= rules.MinDigits:
			return hal.PINEntry{Outcome: hal.PINEntered, Digits: hal.NewSecret(digits)}, nil
		default:
			continue
		}
		if count != nil {
			count(len(digits))
		}
	}
}

func (p *Panel) setPIN(on bool) {
	p.mu.Lock()
	p.pin = on
	close(p.notify)
	p.notify = make(chan struct{})
	p.mu.Unlock()
	p.send(MsgPIN, Small{Active: on})
}

type lamps struct{ p *Panel }

func (lamps) String() string { return "panel lamps" }
func (lamps) Halt() error    { return nil }
func (l lamps) Set(name string, s hal.LampState) error {
	return l.p.send(MsgLamp, Small{Name: name, State: s.String()})
}

type sounder struct{ p *Panel }

func (sounder) String() string           { return "panel sounder" }
func (sounder) Halt() error              { return nil }
func (s sounder) Sound(t hal.Tone) error { return s.p.send(MsgSound, Small{Tone: int(t)}) }

// columns of the bench's paper, 58 mm.
const columns = 32

type printer struct{ p *Panel }

func (printer) String() string { return "panel printer" }
func (printer) Halt() error    { return nil }
func (printer) Columns() int   { return columns }

// Print sends line by line, as paper comes out; where the paper ends, the slip
// is torn. Halfway stands the bench's point "printing".
func (r printer) Print(ctx context.Context, s hal.Slip) error {
	for i, l := range s.Lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !r.p.hasPaper() {
			return &hal.PrinterError{Cause: hal.PaperOut}
		}
		if i == len(s.Lines)/2 {
			bench(r).Point("printing")
		}
		if err := r.p.send(MsgLine, l); err != nil {
			return err
		}
	}
	return r.p.send(MsgSlip, Small{Cut: s.Cut})
}

func (p *Panel) hasPaper() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paper
}

type tamper struct{ p *Panel }

func (tamper) String() string { return "panel tamper" }
func (tamper) Halt() error    { return nil }

func (t tamper) Wait(ctx context.Context) (which string, err error) {
	err = t.p.wait(ctx, func() bool {
		if len(t.p.tamper) == 0 {
			return false
		}
		which, t.p.tamper = t.p.tamper[0], t.p.tamper[1:]
		return true
	})
	return which, err
}
