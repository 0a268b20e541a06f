package picture

import (
	"image"
	"image/color"
)

// What decoders take, from the header alone: all arrays that grow with the picture, and
// those of package picture round them. TestNeed holds it against what they take.

// rgb is what a pixel takes in an Image.
const rgb = 3

// alphaNeed is what alpha takes a pixel in an Image of that colour model, at most.
func alphaNeed(m color.Model) int64 {
	switch m {
	case color.GrayModel, color.Gray16Model, color.YCbCrModel, color.CMYKModel:
		return 0
	}
	if p, paletted := m.(color.Palette); paletted {
		for _, c := range p {
			if _, _, _, a := c.RGBA(); a != 0xffff {
				return 1
			}
		}
		return 0
	}
	return 1
}

// beside is what decoding takes besides the pixels: tables, buffers, rows.
const beside = 512 << 10

// pixels is how many a picture has.
func pixels(c image.Config) int64 { return int64(c.Width) * int64(c.Height) }

func needBMP(_ []byte, c image.Config) int64 {
	each := int64(4)
	if _, ok := c.ColorModel.(color.Palette); ok {
		each = 1
	}
	return pixels(c) * (each + rgb + alphaNeed(c.ColorModel))
}

// needWebP knows two kinds: lossy, of planes in whole blocks, and lossless, with an image
// before and one after the colours are looked up, and tiles for transforms; alpha is lossless. Where a frame
// does not cover the canvas, there is that, too.
func needWebP(data []byte, c image.Config) int64 {
	w, err := openWebP(data)
	if err != nil {
		return 0
	}
	const block = 16
	area := int64(w.frame.Dx()) * int64(w.frame.Dy())
	need := area * (rgb + 1)
	if w.frame.Size() != w.size {
		need += pixels(c) * (rgb + 1)
	}
	if w.lossless {
		return need + area*9
	}
	if w.alpha != nil { // which is itself lossless
		need += area*10 + int64(len(w.packed)+len(w.alpha))
	}
	wide, high := (int64(w.frame.Dx())+block-1)/block*block, (int64(w.frame.Dy())+block-1)/block*block
	return need + wide*high*3/2 + wide*high/block
}
