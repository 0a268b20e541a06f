package picture

import (
	"bytes"
	"image"
	"image/color"
)

// What decoders take, from the header alone: all arrays that grow with the picture, and
// those of package picture round them. TestNeed holds it against what they take.

// rgb is what a pixel takes in an Image without alpha.
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

// ofModel is what a pixel takes in the standard library's image of that colour model.
func ofModel(m color.Model) int64 {
	switch m {
	case color.GrayModel, color.AlphaModel:
		return 1
	case color.Gray16Model, color.Alpha16Model:
		return 2
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 4
}

func needPNG(data []byte, c image.Config) int64 {
	each := ofModel(c.ColorModel)
	if _, paletted := c.ColorModel.(color.Palette); !paletted && each < 4 && bytes.Contains(data, []byte("tRNS")) {
		each *= 4 // gray with a transparent value becomes colours with alpha
	}
	const interlace = 28 // place in the file
	alpha := alphaNeed(c.ColorModel)
	if bytes.Contains(data, []byte("tRNS")) {
		alpha = 1
	}
	if data[interlace] != 0 {
		return pixels(c) * (2*each + rgb + alpha) // a pass after the other, and the whole
	}
	return pixels(c) * (each + rgb + alpha)
}

// needGIF counts a frame, the same without interlacing, and the screen.
func needGIF(_ []byte, c image.Config) int64 { return pixels(c) * (3 + rgb + 1) }

func needBMP(_ []byte, c image.Config) int64 {
	return pixels(c) * (ofModel(c.ColorModel) + rgb + alphaNeed(c.ColorModel))
}

// needTIFF counts the image and the largest block of it, a strip or a tile, which is
// unpacked by growing a buffer.
func needTIFF(data []byte, c image.Config) int64 {
	const rowsPerStrip, tileWidth, tileLength, padding, largestPadded = 278, 322, 323, 16, 1024
	tags := numberTags(data)
	block := pixels(c)
	if rows := int64(tags[rowsPerStrip]); rows > 0 {
		block = min(block, rows*int64(c.Width))
	}
	if w, h := int64(tags[tileWidth]), int64(tags[tileLength]); w > 0 && h > 0 { // more is refused by x/image
		block = min(w, max(int64(c.Width)+padding, largestPadded)) * min(h, max(int64(c.Height)+padding, largestPadded))
	}
	each := ofModel(c.ColorModel)
	return pixels(c)*(each+rgb+alphaNeed(c.ColorModel)) + 3*each*block
}

// needWebP knows three kinds: lossy, of planes in whole blocks; lossless, of which there
// is an image before and one after the colours are looked up, and tiles for transforms;
// and lossy with alpha, which is itself lossless.
func needWebP(data []byte, c image.Config) int64 {
	const block = 16
	w, h := (int64(c.Width)+block-1)/block*block, (int64(c.Height)+block-1)/block*block
	lossy, lossless := w*h*3/2+w*h/block, pixels(c)*9
	switch {
	case bytes.Contains(data, []byte("ALPH")):
		return lossy + lossless + pixels(c)*(1+rgb+1)
	case bytes.Contains(data, []byte("VP8L")):
		return lossless + pixels(c)*(rgb+1)
	}
	return lossy + pixels(c)*rgb
}

// needJPEG returns what our own decoder takes, for the whole picture or at an eighth of
// its size, and what image/jpeg takes, which repeats chroma of unusual shapes.
func needJPEG(h jpegHeader, c image.Config) (ours, eighth, others int64) {
	samples := max(h.samples, pixels(c))
	whole := max(h.padded, pixels(c)) * int64(max(1, h.components))
	ours, eighth, others = samples+pixels(c)*rgb, (samples+pixels(c)*rgb)/64, max(whole, samples)+pixels(c)*rgb
	if h.progressive {
		ours, eighth, others = ours+2*samples, eighth+2*samples, others+4*samples
	}
	if h.components == 4 {
		others += pixels(c) * (4 + rgb) // CMYK, and its colours' planes
	}
	return ours, eighth, others
}
