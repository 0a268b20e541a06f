package winograd

import "fmt"

// The points at which F(4, 3) evaluates polynomials are 0, ±p, ±q and infinity;
// F(2, 3) takes 0, ±1 and infinity. The customary 1 and 2 double the rounding
// errors of these, whose squares and cubes are exact too.
const (
	p, q   = 0.625, 1.5
	pp, qq = p * p, q * q
)

// points returns the finite points for a tile.
func points(tile int) []float64 {
	if tile == 2 {
		return []float64{0, 1, -1}
	}
	return []float64{0, p, -p, q, -q}
}

// matrices are the kernels' transforms G, [tile+2][3], by tile/2-1, each value as often
// as an assembly register holds it.
var matrices = [2][][3][8]float64{kernelMatrix(2), kernelMatrix(4)}

// kernelMatrix returns G: its row for point x is (1, x, x²) over the product of x's
// distances from the other finite points.
func kernelMatrix(tile int) [][3][8]float64 {
	var g [][3][8]float64
	add := func(values ...float64) {
		var row [3][8]float64
		for i, v := range values {
			for j := range row[i] {
				row[i][j] = v
			}
		}
		g = append(g, row)
	}
	finite := points(tile)
	for i, x := range finite {
		n := 1.0
		for j, other := range finite {
			if j != i {
				n *= x - other
			}
		}
		add(1/n, x/n, x*x/n)
	}
	add(0, 0, 1)
	return g
}

// transforms is assembly for whole registers of channels; the portable code takes
// pictures of fewer, and kernels where there is nothing for them. Its functions are
// indexed by tile/2-1.
type transforms struct {
	lanes              int
	kernel             [2]kernelKernel
	input              [2]inputKernel
	output, outputPool [2]outputKernel
	gradient           inputKernel // for tiles of 4x4
}

type (
	kernelKernel = func(n int, u *float32, us int, k *float32, cs, row, col int, g *float64)
	inputKernel  = func(n int, v *float32, vs int, x *float32, row, col int)
	outputKernel = func(n int, y *float32, row, col int, m *float32, ms int, bias *float32, floor float32)
)

var arch = archTransforms() // nil if there is none

// lanes returns the number of channels that the way back takes at least.
func lanes() int {
	if arch == nil {
		return 1
	}
	return arch.lanes
}

// kernelTransform transforms n output channels of a kernel [3, 3, in, out] to
// u[i*in*NR+c*NR+j] for point i, input channel c and output channel j.
func kernelTransform(tile, in, n int, u, kernel []float32, out int) {
	nr, matrix := micro.NR, matrices[tile/2-1]
	if arch != nil && arch.kernel[tile/2-1] != nil && n == nr && len(kernel) >= (9*in-1)*out+n && len(u) >= len(matrix)*len(matrix)*in*nr {
		arch.kernel[tile/2-1](in, &u[0], in*nr, &kernel[0], out, 3*in*out, in*out, &matrix[0][0][0])
		return
	}
	for c := range in {
		for j := range n {
			var t [3][6]float64 // Gᵀ applied along the columns
			for row := range 3 {
				at := (row*3*in+c)*out + j
				k0, k1, k2 := float64(kernel[at]), float64(kernel[at+in*out]), float64(kernel[at+2*in*out])
				for i, g := range matrix {
					t[row][i] = g[0][0]*k0 + g[1][0]*k1 + g[2][0]*k2
				}
			}
			for i, g := range matrix {
				for l := range matrix {
					u[((i*len(matrix)+l)*in+c)*nr+j] = float32(g[0][0]*t[0][l] + g[1][0]*t[1][l] + g[2][0]*t[2][l])
				}
			}
		}
	}
}

// input transforms a tile of a picture, (tile+2)² pixels of n channels with strides
// row and col, to v[i*vs+c] for point i and channel c.
func input(tile, n int, v []float32, vs int, x []float32, row, col int) {
	checkPixels(tile+2, tile+2, n, v, vs, x, row, col)
	if arch != nil && n >= arch.lanes {
		arch.input[tile/2-1](n, &v[0], vs, &x[0], row, col)
		return
	}
	toPoints(tile+2, tile+2, n, v, vs, x, row, col, func(d [6]float32) [6]float32 { return inputLine(tile, d) })
}

// gradient transforms the gradient of a tile of 4x4 pixels as input transforms a tile
// of a picture: it is the adjoint of output without a pool.
func gradient(n int, v []float32, vs int, dy []float32, row, col int) {
	checkPixels(4, 6, n, v, vs, dy, row, col)
	if arch != nil && n >= arch.lanes {
		arch.gradient(n, &v[0], vs, &dy[0], row, col)
		return
	}
	toPoints(4, 6, n, v, vs, dy, row, col, gradientLine)
}

func checkPixels(size, side, n int, v []float32, vs int, x []float32, row, col int) {
	if last := (size - 1) * (row + col); n < 1 || row < 0 || col < 0 || vs < 0 || last+n > len(x) || (side*side-1)*vs+n > len(v) {
		panic(fmt.Sprintf("winograd: %dx%d pixels of %d channels with strides %d, %d in %d values, to stride %d in %d values", size, size, n, row, col, len(x), vs, len(v)))
	}
}

// toPoints transforms size x size pixels to side x side points, by line in one
// dimension.
func toPoints(size, side, n int, v []float32, vs int, x []float32, row, col int, line func(d [6]float32) [6]float32) {
	var t [6][6]float32
	for c := range n {
		var d [6]float32
		for j := range size {
			for i := range size {
				d[i] = x[i*row+j*col+c]
			}
			for i, value := range line(d) {
				t[i][j] = value
			}
		}
		for i := range side {
			copy(d[:], t[i][:size])
			values := line(d)
			for j := range side {
				v[(i*side+j)*vs+c] = values[j]
			}
		}
	}
}

// inputLine is the transform of tile+2 values d in one dimension: the coefficients
// of the polynomials that vanish at all finite points but one.
func inputLine(tile int, d [6]float32) (v [6]float32) {
	d0, d1, d2, d3, d4, d5 := d[0], d[1], d[2], d[3], d[4], d[5]
	if tile == 2 {
		return [6]float32{d2 - d0, d2 + d1, d2 - d1, d3 - d1}
	}
	e1, o1 := d4-qq*d2, p*(d3-qq*d1)
	e2, o2 := d4-pp*d2, q*(d3-pp*d1)
	return [6]float32{d4 - (pp+qq)*d2 + pp*qq*d0, e1 + o1, e1 - o1, e2 + o2, e2 - o2, d5 - (pp+qq)*d3 + pp*qq*d1}
}

// output turns a tile's products, m[i*ms+c] for point i and channel c, into tile x
// tile pixels of n channels with strides row and col, or with pool the greatest of
// each 2x2 of them; it adds the bias, and raises to floor what is less.
func output(tile int, pool bool, n int, y []float32, row, col int, m []float32, ms int, bias []float32, floor float32) {
	side, height := tile+2, tile
	if pool {
		height /= 2
	}
	if last := (height - 1) * (row + col); n < lanes() || row < 0 || col < 0 || ms < 0 || last+n > len(y) || (side*side-1)*ms+n > len(m) || n > len(bias) {
		panic(fmt.Sprintf("winograd: products of %d channels with stride %d in %d values, bias of %d, to a tile with strides %d, %d in %d values",
			n, ms, len(m), len(bias), row, col, len(y)))
	}
	if arch != nil {
		kernels := &arch.output
		if pool {
			kernels = &arch.outputPool
		}
		kernels[tile/2-1](n, &y[0], row, col, &m[0], ms, &bias[0], floor)
		return
	}
	var t [6][4]float32
	for c := range n {
		for i := range side {
			t[i] = outputLine(tile, func(j int) float32 { return m[(i*side+j)*ms+c] })
		}
		var pixels [4][4]float32
		for j := range tile {
			for i, v := range outputLine(tile, func(i int) float32 { return t[i][j] }) {
				pixels[i][j] = max(v+bias[c], floor)
			}
		}
		for i := range height {
			for j := range height {
				v := pixels[i][j]
				if pool {
					v = max(pixels[2*i][2*j], pixels[2*i][2*j+1], pixels[2*i+1][2*j], pixels[2*i+1][2*j+1])
				}
				y[i*row+j*col+c] = v
			}
		}
	}
}

// outputLine is the way back in one dimension: value k is the sum of x^k times the
// value at x over all points.
func outputLine(tile int, m func(i int) float32) [4]float32 {
	if tile == 2 {
		m0, m1, m2, m3 := m(0), m(1), m(2), m(3)
		return [4]float32{m0 + (m1 + m2), (m1 - m2) + m3}
	}
	m0, m1, m2, m3, m4, m5 := m(0), m(1), m(2), m(3), m(4), m(5)
	s1, d1, s2, d2 := m1+m2, m1-m2, m3+m4, m3-m4
	return [4]float32{m0 + (s1 + s2), p*d1 + q*d2, pp*s1 + qq*s2, p*pp*d1 + q*qq*d2 + m5}
}

// gradientLine is the adjoint of outputLine for tiles of 4: the value at x of the
// polynomial with coefficients d.
func gradientLine(d [6]float32) [6]float32 {
	d0, d1, d2, d3 := d[0], d[1], d[2], d[3]
	e1, o1 := d0+pp*d2, p*(d1+pp*d3)
	e2, o2 := d0+qq*d2, q*(d1+qq*d3)
	return [6]float32{d0, e1 + o1, e1 - o1, e2 + o2, e2 - o2, d3}
}
