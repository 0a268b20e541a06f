package picture

import (
	"bytes"
	"image"
	"image/gif"
)

// decodeGIF returns the first frame on the whole screen. Transparent pixels have
// their palette's colour, as in Pillow, and what the frame does not cover has the
// transparent colour, or the palette's first; both have no alpha.
func decodeGIF(data []byte) (*Image, error) {
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	// image/gif overwrites the transparent colour in the palette unless the
	// flag is off.
	cover, transparent := uint8(0), false
	if control := firstControl(data); control != nil && control[0]&1 != 0 {
		flags := control[0]
		control[0] &^= 1
		defer func() { control[0] = flags }() // the bytes are the caller's
		cover, transparent = control[3], true
	}
	src, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	screen, frame := image.Rect(0, 0, config.Width, config.Height), src.(*image.Paletted)
	within := frame.Rect
	covered := within == screen
	if !covered {
		part := frame
		frame = image.NewPaletted(screen, part.Palette)
		if int(cover) < len(part.Palette) {
			for i := range frame.Pix {
				frame.Pix[i] = cover
			}
		}
		for y := part.Rect.Min.Y; y < part.Rect.Max.Y; y++ {
			copy(frame.Pix[frame.PixOffset(part.Rect.Min.X, y):], part.Pix[part.PixOffset(part.Rect.Min.X, y):][:part.Rect.Dx()])
		}
	}
	m := FromImage(frame)
	if transparent && bytes.IndexByte(frame.Pix, cover) >= 0 || !covered {
		m.Alpha = make([]uint8, len(frame.Pix))
		for i, v := range frame.Pix {
			if !(transparent && v == cover) && (covered || image.Pt(i%config.Width, i/config.Width).In(within)) {
				m.Alpha[i] = 255
			}
		}
	}
	return m, nil
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
