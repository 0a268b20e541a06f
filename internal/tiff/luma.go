package tiff

import (
	"errors"
	"fmt"
)

// lumaTables are parts of the conversion of YCbCr that depend on one value, in the fixed
// point of libtiff.
type lumaTables struct{ y, redOfCr, blueOfCb, greenOfCr, greenOfCb [256]int32 }

func (f *File) readLuma(t tags) error {
	f.across, f.down = 2, 2
	if s := t[tagYCbCrSubsampling]; s.Len() >= 2 {
		a, _ := s.Uint(0)
		d, _ := s.Uint(1)
		if a != 1 && a != 2 && a != 4 || d != 1 && d != 2 && d != 4 {
			return fmt.Errorf("chroma sampled by %d and %d", a, d)
		}
		f.across, f.down = int(a), int(d)
	}
	if f.compression == compressedJPEG || f.compression == compressedWebP {
		f.across, f.down = 1, 1 // is JPEG's affair
		return nil
	}
	if f.planar && (f.across > 1 || f.down > 1) {
		return errors.New("planes of sampled chroma, which are not read")
	}
	if f.subsampled() && f.samples != 3 {
		return fmt.Errorf("sampled chroma and %d samples a pixel, which are not read", f.samples)
	}
	factors, black := [3]float32{0.299, 0.587, 0.114}, [6]float32{0, 255, 128, 255, 128, 255}
	if v := t[tagYCbCrFactors]; v.Len() >= 3 {
		for i := range factors {
			factors[i] = float32(v.Float(i))
		}
		if !(factors[1] > 0) {
			return errors.New("YCbCr without green")
		}
	}
	if v := t[tagReferenceBlack]; v.Len() >= 6 {
		for i := range black {
			black[i] = float32(v.Float(i))
		}
	}
	f.luma = newLumaTables(factors, black)
	return nil
}

func newLumaTables(factors [3]float32, black [6]float32) *lumaTables {
	fix := func(x float32) int32 { return int32(float64(x)*(1<<16) + 0.5) }
	within := func(v, low, high float32) float32 {
		if !(v >= low) {
			return low
		}
		return min(v, high)
	}
	code := func(c, low, high, span float32) float32 {
		if high-low != 0 {
			return (c - low) * span / (high - low)
		}
		return (c - low) * span
	}
	red, green, blue := factors[0], factors[1], factors[2]
	f1 := 2 - 2*red
	f3 := 2 - 2*blue
	d1, d2 := fix(within(f1, 0, 2)), -fix(within(red*f1/green, 0, 2))
	d3, d4 := fix(within(f3, 0, 2)), -fix(within(blue*f3/green, 0, 2))
	const half, most = 1 << 15, 128 * 32
	whole := func(v float32) int32 { return int32(v) }
	for i := range black {
		black[i] = float32(whole(within(black[i], -1<<24, 1<<24)))
	}
	t := &lumaTables{}
	for i := range 256 {
		x := float32(i - 128)
		cr := whole(within(code(x, black[4]-128, black[5]-128, 127), -most, most))
		cb := whole(within(code(x, black[2]-128, black[3]-128, 127), -most, most))
		t.redOfCr[i] = (d1*cr + half) >> 16
		t.blueOfCb[i] = (d3*cb + half) >> 16
		t.greenOfCr[i] = d2 * cr
		t.greenOfCb[i] = d4*cb + half
		t.y[i] = whole(within(code(x+128, black[0], black[1], 255), -most, most))
	}
	return t
}

func (t *lumaTables) rgb(dst []uint8, y, cb, cr uint8) {
	v := t.y[y]
	dst[0] = clamp(v + t.redOfCr[cr])
	dst[1] = clamp(v + (t.greenOfCb[cb]+t.greenOfCr[cr])>>16)
	dst[2] = clamp(v + t.blueOfCb[cb])
}

func clamp(v int32) uint8 { return uint8(max(0, min(v, 255))) }

// subsampled tells whether pixels share chroma: they lie in units, luma of each pixel row
// by row, then Cb and Cr.
func (f *File) subsampled() bool { return f.across*f.down > 1 }

// unitRow are the bytes of a row of units.
func (f *File) unitRow() int {
	return ((f.blocks.width-1)/f.across + 1) * (f.across*f.down + 2)
}

func convertUnits(u *unpacker, dst []uint8, row int) {
	unit := u.File.across*u.down + 2
	line := u.planes[0][row/u.down*u.unitRow():]
	for x := range len(dst) / 3 {
		p := line[x/u.File.across*unit:][:unit]
		u.luma.rgb(dst[3*x:3*x+3], p[row%u.down*u.File.across+x%u.File.across], p[unit-2], p[unit-1])
	}
}
