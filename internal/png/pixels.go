package png

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
)

// passes are where the pixels of an interlaced picture lie: the first column and row of a
// pass, and how far the next ones are.
var passes = [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// Pixels are those of a picture: RGB interleaved, and planes that are nil where the picture
// has no such. Of 16 bits of a colour the upper 8 are taken, and gray of 16 bits is cut at
// 255, as Pillow has it; Upper has its upper 8 bits. Pixels that are missing have an alpha
// of 0.
type Pixels struct{ RGB, Alpha, Upper []uint8 }

// Decode returns the picture.
func (f *File) Decode() (Pixels, error) {
	n := f.Width * f.Height
	p := Pixels{RGB: make([]uint8, 3*n)}
	if f.hasAlpha() {
		p.Alpha = make([]uint8, n)
	}
	if f.hasUpper() {
		p.Upper = make([]uint8, n)
	}
	return p, f.decode(p.RGB, p.Alpha, p.Upper)
}

func (f *File) hasUpper() bool { return f.kind == gray && f.depth == 16 }

func (f *File) decode(out, transparency, upper []uint8) error {
	z, err := f.inflate()
	if err != nil {
		return err
	}
	layers := [][4]int{{0, 0, 1, 1}}
	if f.interlaced {
		layers = passes[:]
	}
	size := f.rowBytes(f.Width)
	this, above := make([]byte, 1+size), make([]byte, 1+size)
	wide := []uint8(nil) // a row of a pass
	if f.interlaced {
		wide = make([]uint8, 4*f.Width)
	}
	for _, p := range layers {
		width, height := (f.Width-p[0]+p[2]-1)/p[2], (f.Height-p[1]+p[3]-1)/p[3]
		if width <= 0 || height <= 0 {
			continue
		}
		n := 1 + f.rowBytes(width)
		clear(above)
		for y := range height {
			row := this[:n]
			switch k, err := io.ReadFull(z, row); {
			case err == io.EOF && k == 0 && z.ended: // the file says that this is all
				return z.check()
			case err != nil:
				return early(err)
			}
			if err := unfilter(row, above[:n], f.pixelBytes()); err != nil {
				return err
			}
			first := (p[1] + y*p[3]) * f.Width
			to := out[3*first:][:3*f.Width]
			if !f.interlaced {
				f.convert(to, row[1:])
				if transparency != nil {
					f.alphas(transparency[first:][:f.Width], row[1:])
				}
				for x := range len(upper) / f.Height {
					upper[first+x] = row[1+2*x]
				}
			} else {
				f.convert(wide[:3*width], row[1:])
				for x := range width {
					copy(to[3*(p[0]+x*p[2]):][:3], wide[3*x:])
				}
				for x := range width {
					if upper != nil {
						upper[first+p[0]+x*p[2]] = row[1+2*x]
					}
				}
				if transparency != nil {
					f.alphas(wide[3*f.Width:][:width], row[1:])
					for x, v := range wide[3*f.Width:][:width] {
						transparency[first+p[0]+x*p[2]] = v
					}
				}
			}
			this, above = above, this
		}
	}
	return z.check()
}

// hasAlpha tells whether pixels may be transparent.
func (f *File) hasAlpha() bool {
	if f.kind == grayAlpha || f.kind == alpha {
		return true
	}
	return f.kind == paletted && len(f.clear) > 0 || len(f.clear) >= 2*f.samples()
}

// alphas finds the alpha of a row's pixels.
func (f *File) alphas(dst []uint8, row []byte) {
	step, size := f.pixelBytes(), f.samples()*f.depth/8
	for x := range dst {
		dst[x] = 255
		switch {
		case f.kind == alpha || f.kind == grayAlpha:
			dst[x] = row[x*step+size-f.depth/8]
		case f.kind == paletted:
			if v := f.value(row, x); v < len(f.clear) {
				dst[x] = f.clear[v]
			}
		case f.depth < 8:
			if f.value(row, x) == int(f.clear[1]) {
				dst[x] = 0
			}
		case f.isClear(row[x*step : x*step+size]):
			dst[x] = 0
		}
	}
}

// isClear tells whether a pixel has the colour that tRNS says, each sample in two bytes.
func (f *File) isClear(pixel []byte) bool {
	for c := range f.samples() {
		if f.depth == 16 && pixel[2*c] != f.clear[2*c] || pixel[(c+1)*f.depth/8-1] != f.clear[2*c+1] {
			return false
		}
	}
	return true
}

// value is a pixel of up to 8 bits.
func (f *File) value(row []byte, x int) int {
	return int(row[x*f.depth/8]) >> (8 - f.depth - x*f.depth%8) & (1<<f.depth - 1)
}

func (f *File) samples() int {
	return [7]int{gray: 1, colours: 3, paletted: 1, grayAlpha: 2, alpha: 4}[f.kind]
}

func (f *File) rowBytes(width int) int { return (width*f.samples()*f.depth + 7) / 8 }

// pixelBytes is how far a byte's left neighbour is.
func (f *File) pixelBytes() int { return max(1, f.samples()*f.depth/8) }

// Need is how many bytes Decode takes, but for some that do not grow with the picture.
func (f *File) Need() int64 {
	need := 3*int64(f.Width)*int64(f.Height) + 2*int64(f.rowBytes(f.Width)) + 24*int64(len(f.pixels))
	if f.hasAlpha() {
		need += int64(f.Width) * int64(f.Height)
	}
	if f.hasUpper() {
		need += int64(f.Width) * int64(f.Height)
	}
	if f.interlaced {
		need += 4 * int64(f.Width)
	}
	return need
}

// stream is what the pixels were packed from.
type stream struct {
	packed flate.Reader
	z      io.Reader
	sum    interface {
		io.Writer
		Sum32() uint32
	}
	sound bool // the check sums of the chunks are right
	ended bool
}

func (f *File) inflate() (*stream, error) {
	s := &stream{sum: adler32.New(), sound: f.sound}
	if len(f.pixels) == 1 {
		s.packed = bytes.NewReader(f.pixels[0])
	} else {
		parts := make([]io.Reader, len(f.pixels))
		for i, p := range f.pixels {
			parts[i] = bytes.NewReader(p)
		}
		s.packed = bufio.NewReader(io.MultiReader(parts...))
	}
	var header [2]byte
	if _, err := io.ReadFull(s.packed, header[:]); err != nil {
		return nil, early(err)
	}
	const method, deflate, dictionary = 15, 8, 0x20
	if h := binary.BigEndian.Uint16(header[:]); header[0]&method != deflate || header[0]>>4 > 7 || h%31 != 0 || header[1]&dictionary != 0 {
		return nil, errors.New("the pixels are not packed as PNG has it")
	}
	s.z = flate.NewReader(s.packed)
	return s, nil
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.z.Read(p)
	s.sum.Write(p[:n])
	s.ended = s.ended || err == io.EOF
	return n, err
}

// check reads on to the check sum. It may be missing if chunks have right ones.
func (s *stream) check() error {
	const most = 1 << 20 // more pixels than there is room for
	n, err := io.Copy(io.Discard, io.LimitReader(s, most))
	var sum [4]byte
	if err == nil && n < most {
		if _, err = io.ReadFull(s.packed, sum[:]); err == nil && binary.BigEndian.Uint32(sum[:]) != s.sum.Sum32() {
			return errors.New("the check sum of the pixels is wrong")
		}
	}
	if (err != nil || n == most) && !s.sound {
		return errors.New("the check sum of the pixels is wrong or missing")
	}
	return nil
}

// early words the end of packed pixels before the end of the picture.
func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return fmt.Errorf("%v", err)
}

// unfilter undoes a row's filter, whose number its first byte is.
func unfilter(row, above []byte, step int) error {
	filter := row[0]
	row, above = row[1:], above[1:]
	above = above[:len(row)]
	switch filter {
	case 0:
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i, v := range above {
			row[i] += v
		}
	case 3:
		for i := range min(step, len(row)) {
			row[i] += above[i] / 2
		}
		for i := step; i < len(row); i++ {
			row[i] += uint8((int(row[i-step]) + int(above[i])) / 2)
		}
	case 4:
		unfilterPaeth(row, above, step)
	default:
		return fmt.Errorf("filter %d, which PNG does not have", filter)
	}
	return nil
}

// unfilterPaeth adds to each byte that of its left, upper and upper left neighbour which is
// nearest to left + upper - upper left.
func unfilterPaeth(row, above []byte, step int) {
	for c := range min(step, len(row)) {
		left, corner := 0, 0
		for i := c; i < len(row); i += step {
			up := int(above[i])
			toLeft, toUp := up-corner, left-corner
			toCorner := abs(toLeft + toUp)
			toLeft, toUp = abs(toLeft), abs(toUp)
			nearest := corner
			if toLeft <= toUp && toLeft <= toCorner {
				nearest = left
			} else if toUp <= toCorner {
				nearest = up
			}
			row[i] += uint8(nearest)
			left, corner = int(row[i]), up
		}
	}
}

func abs(v int) int {
	sign := v >> 63
	return (v ^ sign) - sign
}

// convert brings a row to RGB.
func (f *File) convert(dst []uint8, row []byte) {
	width := len(dst) / 3
	step := f.pixelBytes()
	switch {
	case f.kind == colours && f.depth == 8:
		copy(dst, row)
	case f.kind == colours || f.kind == alpha:
		second := f.depth / 8
		for x := range width {
			p := row[x*step : x*step+2*second+1]
			dst[3*x], dst[3*x+1], dst[3*x+2] = p[0], p[second], p[2*second]
		}
	case f.kind == gray && f.depth == 16:
		for x := range width {
			v := row[2*x+1]
			if row[2*x] != 0 {
				v = 255
			}
			dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
		}
	case f.kind == grayAlpha || f.kind == gray && f.depth == 8:
		for x := range width {
			v := row[x*step]
			dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
		}
	case f.depth == 8:
		for x := range width {
			copy(dst[3*x:3*x+3], f.palette[row[x]][:])
		}
	default:
		most := 1<<f.depth - 1
		for x := range width {
			v := f.value(row, x)
			if f.kind == paletted {
				copy(dst[3*x:3*x+3], f.palette[v][:])
			} else {
				g := uint8(v * 255 / most)
				dst[3*x], dst[3*x+1], dst[3*x+2] = g, g, g
			}
		}
	}
}
