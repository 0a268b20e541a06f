package tiff

import (
	"math"
	"sync"
)

// Pillow has LittleCMS convert L*a*b*, which interpolates between the points of a grid:
// within the gamut that is right to a level, at its border it is not.
const labPoints = 33 // along each side

// labGrid has the colours of the grid's points, of 16 bits: L* of 0 to 100 outermost, then
// a* and b* of -128 to 127.
var labGrid = sync.OnceValue(func() [][3]int32 {
	grid := make([][3]int32, 0, labPoints*labPoints*labPoints)
	at := func(i int) float64 { return math.Round(65535 * float64(i) / (labPoints - 1)) }
	for l := range labPoints {
		for a := range labPoints {
			for b := range labPoints {
				grid = append(grid, labPoint(at(l)*100/65535, at(a)/257-128, at(b)/257-128))
			}
		}
	}
	return grid
})

// labPoint converts a colour of D50 to sRGB, of 16 bits.
func labPoint(l, a, b float64) (rgb [3]int32) {
	y := (l + 16) / 116
	part := func(t float64) float64 {
		if t > 24.0/116 {
			return t * t * t
		}
		return (t - 16.0/116) * 108 / 841
	}
	X, Y, Z := 0.9642*part(y+a/500), part(y), 0.8249*part(y-b/200)
	for c, row := range [3][3]float64{
		{3.13422405, -1.61717143, -0.49080043},
		{-0.97877988, 1.91612956, 0.03347455},
		{0.0719774, -0.22898753, 1.40574686},
	} {
		v := max(0, min(row[0]*X+row[1]*Y+row[2]*Z, 1))
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		rgb[c] = int32(math.Round(65535 * v))
	}
	return rgb
}

// labToRGB goes from a point of the grid to the one farthest off in its cube, along the
// sides in the order of how far the colour lies along each. a* and b* are signed.
func labToRGB(dst []uint8, grid [][3]int32, l, a, b uint8) {
	steps := [3]int{labPoints * labPoints, labPoints, 1}
	var part [3]int32 // of 255
	at := 0
	for i, v := range [3]int{int(l), int(a ^ 0x80), int(b ^ 0x80)} {
		whole := v * (labPoints - 1) / 255
		if whole == labPoints-1 {
			whole--
		}
		part[i] = int32(v*(labPoints-1) - 255*whole)
		at += whole * steps[i]
	}
	if part[0] < part[1] {
		part[0], part[1], steps[0], steps[1] = part[1], part[0], steps[1], steps[0]
	}
	if part[1] < part[2] {
		part[1], part[2], steps[1], steps[2] = part[2], part[1], steps[2], steps[1]
	}
	if part[0] < part[1] {
		part[0], part[1], steps[0], steps[1] = part[1], part[0], steps[1], steps[0]
	}
	from := grid[at]
	var sum [3]int32
	for c := range 3 {
		sum[c] = 255 * from[c]
	}
	for i, step := range steps {
		at += step
		to := grid[at]
		for c := range 3 {
			sum[c] += (to[c] - from[c]) * part[i]
		}
		from = to
	}
	for c := range 3 {
		dst[c] = uint8((sum[c]/255*2 + 257) / (2 * 257))
	}
}
