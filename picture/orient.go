package picture

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
	turned := func(plane []uint8) []uint8 {
		if plane == nil {
			return nil
		}
		to := make([]uint8, w*h)
		for y := range h {
			from := first + y*down
			for x := range w {
				to[y*w+x] = plane[from]
				from += right
			}
		}
		return to
	}
	out.Alpha, out.Upper = turned(m.Alpha), turned(m.Upper)
	for y := range h {
		from, row := first+y*down, out.row(y)
		for x := range w {
			copy(row[3*x:3*x+3], m.Pix[3*from:3*from+3])
			from += right
		}
	}
	return out
}
