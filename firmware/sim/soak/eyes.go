package soak

import (
	"image"
	"image/color"
	"strings"

	"swipewell/firmware/pos"
	"swipewell/hal"
)

// eyes are a display that holds every screen against what is on flash at that
// moment: nobody may be told of an approval that a power cut could still take
// back.
type eyes struct{ l *life }

func (eyes) String() string          { return "soak eyes" }
func (eyes) Halt() error             { return nil }
func (eyes) ColorModel() color.Model { return color.RGBAModel }
func (eyes) Bounds() image.Rectangle { return image.Rect(0, 0, 320, 240) }

// Draw needs no pixels: the words have been read.
func (eyes) Draw(image.Rectangle, image.Image, image.Point) error { return nil }

func (e eyes) Caption(c hal.Caption) error {
	if !strings.HasPrefix(c.Code, "A-SAL-") {
		return nil
	}
	e.l.out.Told++
	last := e.l.Term.State().Durable.Last
	if row, err := e.l.Store.Sale(last.ID); err != nil || row.State == pos.RowPending {
		e.l.out.Early++
		e.l.why("%s is shown for %v before it is on flash: %v", c.Code, last.ID, err)
	}
	return nil
}
