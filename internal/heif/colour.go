package heif

import "math"

// colour says how light and its differences become red, green and blue (H.273).
type colour struct {
	matrix, primaries int
	full              bool // values of 0 to 255, not 16 to 235
	gray              bool // no differences
}

// Values of matrix_coefficients.
const (
	identity    = 0
	bt709       = 1
	unspecified = 2
	fcc         = 4
	smpte240    = 7
	ycgco       = 8
	bt2020      = 9
	bt2020const = 10
	derived     = 12
	derived2    = 13
)

// readColour reads a box colr of kind nclx.
func readColour(body []byte) (c colour, ok bool) {
	r := reader{data: body}
	if string(r.bytes(4)) != "nclx" {
		return c, false
	}
	c.primaries = int(r.number(2))
	r.number(2)
	c.matrix = int(r.number(2))
	c.full = r.number(1)&0x80 != 0
	return c, !r.failed
}

// shares returns what red and blue have of light.
func (c colour) shares() (red, blue float64) {
	matrix := c.matrix
	if matrix == derived || matrix == derived2 {
		matrix = map[int]int{1: bt709, 4: fcc, 7: smpte240, 9: bt2020}[c.primaries]
	}
	switch matrix {
	case bt709:
		return 0.2126, 0.0722
	case fcc:
		return 0.30, 0.11
	case smpte240:
		return 0.212, 0.087
	case bt2020, bt2020const:
		return 0.2627, 0.0593
	}
	return 0.299, 0.114
}

// known tells whether the matrix is one of those that colours can be made with.
func (c colour) known() bool {
	return c.matrix <= bt2020const || c.matrix == derived || c.matrix == derived2
}

// table makes red, green and blue, in parts of 1/65536.
type table struct {
	colour
	y, difference    [256]int32
	crRed, cbBlue    [256]int32
	crGreen, cbGreen [256]int32
}

const half = 1 << 15

// table is for values of so many bits, which arrive as their upper 8. The lower ones count
// as half of what they could be.
func (c colour) table(depth int) *table {
	t := &table{colour: c}
	spread := float64(int(1) << (depth - 8))
	missing, most := (spread-1)/2, 256*spread-1
	red, blue := c.shares()
	green := 1 - red - blue
	light, difference, black := 255/most, 255/most, 0.0
	if !c.full {
		light, difference, black = 255/(219*spread), 255/(224*spread), 16*spread
	}
	fix := func(v float64) int32 { return int32(math.Round(v * 2 * half)) }
	for i := range 256 {
		v := float64(i)*spread + missing
		d := (v - 128*spread) * difference
		t.difference[i], t.y[i] = fix(d), fix((v-black)*light)+half
		t.crRed[i], t.cbBlue[i] = fix(2*(1-red)*d), fix(2*(1-blue)*d)
		t.crGreen[i], t.cbGreen[i] = fix(-2*(1-red)*red/green*d), fix(-2*(1-blue)*blue/green*d)
	}
	return t
}

// rgb makes one pixel.
func (t *table) rgb(y, cb, cr uint8) (r, g, b uint8) {
	if t.gray {
		v := clip(t.y[y])
		return v, v, v
	}
	switch t.matrix {
	case identity:
		return clip(t.y[cr]), clip(t.y[y]), clip(t.y[cb])
	case ycgco:
		light, green, orange := t.y[y], t.difference[cb], t.difference[cr]
		return clip(light - green + orange), clip(light + green), clip(light - green - orange)
	}
	light := t.y[y]
	return clip(light + t.crRed[cr]), clip(light + t.cbGreen[cb] + t.crGreen[cr]), clip(light + t.cbBlue[cb])
}

func clip(v int32) uint8 { return uint8(min(max(v>>16, 0), 255)) }
