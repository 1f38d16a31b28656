package panel

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"sync"

	"swipewell/hal"
)

// screen is the display. cur is the picture that the bench shows, in the form
// of the wire; next is where the following one is made.
type screen struct {
	p    *Panel
	size Size

	mu        sync.Mutex
	cur, next []byte
	words     []byte // the caption that waits for its frame, as JSON; nil: none
	said      []byte // the caption that the bench has
}

func (s *screen) String() string          { return "panel display" }
func (s *screen) Halt() error             { return nil }
func (s *screen) Bounds() image.Rectangle { return image.Rect(0, 0, s.size.W, s.size.H) }

func (s *screen) ColorModel() color.Model {
	if s.size.Mono {
		return color.GrayModel
	}
	return color.RGBAModel
}

// Caption keeps the words of the next frame until Draw sends both: the bench
// gets them after the picture, so that whoever waits for words may look at the
// picture at once.
func (s *screen) Caption(c hal.Caption) error {
	b, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("panel: caption: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = b
	return nil
}

// Draw sends the rows that differ from what is shown, and the caption if it
// differs, in one write.
func (s *screen) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stride, first := s.size.Stride(), s.cur == nil
	if first {
		s.cur, s.next = make([]byte, stride*s.size.H), make([]byte, stride*s.size.H)
	}
	copy(s.next, s.cur)
	// The clipping of image/draw: to the display and to the source.
	at := r.Min
	r = r.Intersect(s.Bounds()).Intersect(src.Bounds().Add(at.Sub(sp)))
	if !r.Empty() {
		s.pack(r, src, sp.Add(r.Min.Sub(at)))
	}
	y0, y1 := 0, s.size.H
	for !first && y0 < y1 && bytes.Equal(s.cur[y0*stride:(y0+1)*stride], s.next[y0*stride:(y0+1)*stride]) {
		y0++
	}
	for !first && y1 > y0 && bytes.Equal(s.cur[(y1-1)*stride:y1*stride], s.next[(y1-1)*stride:y1*stride]) {
		y1--
	}
	s.p.wmu.Lock()
	defer s.p.wmu.Unlock()
	out := s.p.out[:0]
	if y1 > y0 {
		var head [4]byte
		binary.BigEndian.PutUint16(head[:], uint16(y0))
		binary.BigEndian.PutUint16(head[2:], uint16(y1-y0))
		rows := s.next[y0*stride : y1*stride]
		out = append(out, byte(MsgFrame))
		out = binary.BigEndian.AppendUint32(out, uint32(len(head)+len(rows)))
		out = append(append(out, head[:]...), rows...)
		s.cur, s.next = s.next, s.cur
	}
	if s.words != nil && !bytes.Equal(s.words, s.said) {
		out = AppendMessage(out, MsgCaption, s.words)
		s.said = s.words
	}
	s.words = nil
	s.p.out = out
	if len(out) == 0 {
		return nil
	}
	s.p.moved.Add(1)
	return s.p.writeLocked(out)
}

// pack writes r of the picture in the form of the wire.
func (s *screen) pack(r image.Rectangle, src image.Image, sp image.Point) {
	if s.size.Mono {
		s.packMono(r, src, sp)
		return
	}
	stride := s.size.Stride()
	if m, ok := src.(*image.RGBA); ok { // what ui/screen draws: 0.2 ms in place of 4
		for y := r.Min.Y; y < r.Max.Y; y++ {
			in := m.Pix[m.PixOffset(sp.X, sp.Y+y-r.Min.Y):]
			out := s.next[y*stride+2*r.Min.X : y*stride+2*r.Max.X]
			in = in[:2*len(out)]
			for i, j := 0, 0; j < len(out); i, j = i+4, j+2 {
				putRGB565(out[j:], in[i], in[i+1], in[i+2])
			}
		}
		return
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			cr, cg, cb, _ := src.At(sp.X+x-r.Min.X, sp.Y+y-r.Min.Y).RGBA()
			putRGB565(s.next[y*stride+2*x:], byte(cr>>8), byte(cg>>8), byte(cb>>8))
		}
	}
}

func putRGB565(dst []byte, r, g, b byte) {
	dst[0], dst[1] = r&0xF8|g>>5, g<<3&0xE0|b>>3
}

func (s *screen) packMono(r image.Rectangle, src image.Image, sp image.Point) {
	stride := s.size.Stride()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			bit := byte(0x80) >> (x % 8)
			at := &s.next[y*stride+x/8]
			if c := src.At(sp.X+x-r.Min.X, sp.Y+y-r.Min.Y); color.GrayModel.Convert(c).(color.Gray).Y >= 0x80 {
				*at |= bit
			} else {
				*at &^= bit
			}
		}
	}
}
