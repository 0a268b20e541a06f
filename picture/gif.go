package picture

import (
	"bytes"
	"image"
	"image/gif"
)

// decodeGIF returns the first frame on the whole screen. Transparency is alpha,
// so it is dropped, as Pillow does: transparent pixels show their palette's
// colour, and what the frame does not cover shows the transparent colour, or
// the palette's first.
func decodeGIF(data []byte) (*Image, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	// image/gif overwrites the transparent colour in the palette unless the
	// flag is off.
	cover := uint8(0)
	if control := firstControl(data); control != nil && control[0]&1 != 0 {
		control[0] &^= 1
		cover = control[3]
	}
	src, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	screen, frame := image.Rect(0, 0, config.Width, config.Height), src.(*image.Paletted)
	if frame.Rect == screen {
		return FromImage(frame), nil
	}
	whole := image.NewPaletted(screen, frame.Palette)
	if int(cover) < len(frame.Palette) {
		for i := range whole.Pix {
			whole.Pix[i] = cover
		}
	}
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		copy(whole.Pix[whole.PixOffset(frame.Rect.Min.X, y):], frame.Pix[frame.PixOffset(frame.Rect.Min.X, y):][:frame.Rect.Dx()])
	}
	return FromImage(whole), nil
}

// firstControl returns the body of the graphic control extension (flags, delay
// in two bytes, transparent index) of the first frame, nil if it has none.
// Damage is left for the decoder to report.
func firstControl(data []byte) []byte {
	const header, extension, graphicControl = 13, 0x21, 0xf9
	if len(data) < header {
		return nil
	}
	i := header
	if flags := data[10]; flags&0x80 != 0 {
		i += 3 << (flags&7 + 1)
	}
	var control []byte
	for i+2 < len(data) && data[i] == extension {
		label := data[i+1]
		for i += 2; i < len(data) && data[i] != 0; i += 1 + int(data[i]) {
			if label == graphicControl && data[i] == 4 && i+5 <= len(data) {
				control = data[i+1 : i+5]
			}
		}
		i++ // the empty block that ends an extension
	}
	return control
}
