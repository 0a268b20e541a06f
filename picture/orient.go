package picture

import (
	"bytes"

	"github.com/bep/imagemeta"
)

// upright is the EXIF orientation of a picture that is as it is seen.
const upright = 1

// orientation returns the EXIF orientation of a file, by the standard 1 to 8.
// A file without one, or whose EXIF block is damaged, counts as upright (1):
// the pixels are worth more than their metadata.
func orientation(data []byte, f imagemeta.ImageFormat) int {
	value := upright
	isOrientation := func(t imagemeta.TagInfo) bool {
		return t.Tag == "Orientation" && t.Namespace == "IFD0"
	}
	// The result is ignored: an error means that no tag was handled.
	imagemeta.Decode(imagemeta.Options{
		R:               bytes.NewReader(data),
		ImageFormat:     f,
		Sources:         imagemeta.EXIF,
		ShouldHandleTag: isOrientation,
		HandleTag: func(t imagemeta.TagInfo) error {
			// A 16-bit number by the standard; some cameras write 32 bits.
			switch v := t.Value.(type) {
			case uint16:
				value = int(v)
			case uint32:
				value = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return value
}

// oriented returns the picture upright, given the orientation that it is
// stored in (EXIF 2.3, tag 0x0112).
func (m *Image) oriented(orientation int) *Image {
	w, h := m.Width, m.Height
	// Where the upright picture's first pixel is stored, and how far apart
	// its neighbours to the right and below are, in pixels.
	var first, right, down int
	switch orientation {
	case 2: // mirrored left to right
		first, right, down = w-1, -1, w
	case 3: // turned by 180 degrees
		first, right, down = w*h-1, -1, -w
	case 4: // mirrored top to bottom
		first, right, down = w*(h-1), 1, -w
	case 5: // mirrored at the main diagonal
		first, right, down = 0, w, 1
	case 6: // to be turned clockwise
		first, right, down = w*(h-1), -w, 1
	case 7: // mirrored at the other diagonal
		first, right, down = w*h-1, -w, -1
	case 8: // to be turned counter-clockwise
		first, right, down = w-1, w, -1
	default:
		return m // upright, or no orientation at all
	}
	if orientation >= 5 {
		w, h = h, w
	}
	out := New(w, h)
	for y := range h {
		from, row := first+y*down, out.row(y)
		for x := range w {
			copy(row[3*x:3*x+3], m.Pix[3*from:3*from+3])
			from += right
		}
	}
	return out
}
