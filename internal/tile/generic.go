package tile

import "unsafe"

// The portable tier: the fallback on every processor, and what the others are
// tested against.

const genericMR, genericNR = 4, 8

var generic = &tier{"generic", Kernel{
	Name: "generic 4x8", MR: genericMR, NR: genericNR,
	tiles: [][]tile{{tileGeneric(1)}, {tileGeneric(2)}, {tileGeneric(3)}, {tileGeneric(4)}},
}, nil}

// tileGeneric computes its tile row by row, the row's eight sums in registers.
func tileGeneric(rows int) tile {
	return func(start *float32, ss int, c *float32, cst int, cols, k int, a *float32, rs, cs, turns, turn int, b *float32, _ uintptr, _ int) {
		for r := range rows {
			var s0, s1, s2, s3, s4, s5, s6, s7 float32
			for t := range turns {
				for p := range k {
					v := *at(a, r*rs+t*turn+p*cs)
					w := (*[genericNR]float32)(unsafe.Pointer(at(b, (t*k+p)*genericNR)))
					s0 += v * w[0]
					s1 += v * w[1]
					s2 += v * w[2]
					s3 += v * w[3]
					s4 += v * w[4]
					s5 += v * w[5]
					s6 += v * w[6]
					s7 += v * w[7]
				}
			}
			sums := [genericNR]float32{s0, s1, s2, s3, s4, s5, s6, s7}
			if start != nil {
				for j, v := range unsafe.Slice(at(start, r*ss), cols) {
					sums[j] += v
				}
			}
			copy(unsafe.Slice(at(c, r*cst), cols), sums[:])
		}
	}
}

// at returns the address of p[i]; Kernel.Mul has checked that it is there.
func at(p *float32, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i))
}
