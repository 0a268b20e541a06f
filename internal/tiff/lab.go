package tiff

import "math"

// labToRGB converts CIE L*a*b* of D50 to sRGB, as a colour management does by its
// profiles.
func labToRGB(dst []uint8, l, a, b uint8) {
	fy := (float64(l)*100/255 + 16) / 116
	fx, fz := fy+float64(int8(a))/500, fy-float64(int8(b))/200
	part := func(t float64) float64 {
		if t > 6.0/29 {
			return t * t * t
		}
		return (t - 4.0/29) * 3 * (6.0 / 29) * (6.0 / 29)
	}
	x, y, z := 0.9642*part(fx), part(fy), 0.8249*part(fz)
	for c, row := range [3][3]float64{
		{3.1338561, -1.6168667, -0.4906146},
		{-0.9787684, 1.9161415, 0.0334540},
		{0.0719453, -0.2289914, 1.4052427},
	} {
		v := row[0]*x + row[1]*y + row[2]*z
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		dst[c] = uint8(255*max(0, min(v, 1)) + 0.5)
	}
}
