package screen

import (
	"image"
	"image/color"
)

// paletted is img with exactly the colours it has.
func paletted(img image.Image) *image.Paletted {
	index := map[color.Color]uint8{}
	var colours color.Palette
	out := image.NewPaletted(img.Bounds(), nil)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := img.At(x, y)
			i, ok := index[c]
			if !ok {
				i = uint8(len(colours))
				index[c] = i
				colours = append(colours, c)
			}
			out.SetColorIndex(x, y, i)
		}
	}
	out.Palette = colours
	return out
}
