package code8

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/internal/cpu"
	"lookalike/internal/kerneltest"
)

// available are the tiers that this processor has, best first.
var available = func() (list []*tier) {
	for _, name := range cpu.Tiers() {
		list = append(list, tierOf(name))
	}
	return list
}()

// eachTier runs f for every tier that this processor has.
func eachTier(t *testing.T, f func(t *testing.T, x *tier)) {
	for _, x := range available {
		t.Run(x.name, func(t *testing.T) { f(t, x) })
	}
}

// use makes x the active tier for the time of a test.
func use(t *testing.T, x *tier) {
	old := active
	active = x
	t.Cleanup(func() { active = old })
}

// checkCodes compares a tier with the portable one: products exactly, bits wherever
// the value is not within rounding of the limit.
func checkCodes(t *testing.T, x *tier, r *rand.Rand, blocks, groups int, extreme bool) {
	t.Helper()
	use(t, x)
	code := func() int {
		if extreme {
			return 127 - 254*r.IntN(2)
		}
		return r.IntN(255) - 127
	}
	codes := make([]uint8, blocks*groups*Group*Rows)
	for i := range codes {
		codes[i] = uint8(code() + 128)
	}
	query := make([]int8, groups*Group)
	for i := range query {
		query[i] = int8(code())
	}
	codes = kerneltest.Edge(t, codes)
	rows := kerneltest.Edge(t, kerneltest.Random(r, blocks*Rows*3))
	dots, mask := make([]int32, blocks*Rows), make([]uint64, (blocks+3)/4+1)
	guard := mask[len(mask)-1]
	wantDots, wantMask := slices.Clone(dots), slices.Clone(mask)
	test := Test{float32(r.NormFloat64()) * 1000, float32(r.NormFloat64()), 7, float32(r.NormFloat64()) * 100}
	var q Query
	q.Set(query)
	Bounds(mask, dots, codes, rows, q, test)
	codeBoundsGeneric(wantMask, wantDots, codes, rows, q, test)
	if !slices.Equal(dots, wantDots) {
		t.Fatalf("%d blocks of %d groups: products %v, want %v", blocks, groups, dots, wantDots)
	}
	if mask[len(mask)-1] != guard {
		t.Fatalf("%d blocks: wrote past the mask", blocks)
	}
	for i, dot := range dots {
		b, j := i/Rows, i%Rows
		c := rows[b*3*Rows:]
		want, sure := passes(test, c[j:], dot)
		if got := mask[i/64]>>(i%64)&1 == 1; sure && got != want {
			t.Fatalf("%d blocks of %d groups: row %d: %t, test %v, product %d", blocks, groups, i, got, test, dot)
		}
	}
	for i := len(dots); i < (len(mask)-1)*64; i++ {
		if mask[i/64]>>(i%64)&1 == 1 {
			t.Fatalf("%d blocks: bit %d is set", blocks, i)
		}
	}
}

// passes is Test.passes in float64; it is not sure within rounding of the limit.
func passes(t Test, constants []float32, dot int32) (yes, sure bool) {
	p := [3]float64{float64(t.Keep) * float64(constants[0]), -float64(t.Product) * float64(dot) * float64(constants[Rows]), -float64(t.Radius) * float64(constants[2*Rows])}
	v, limit := p[0]+p[1]+p[2], float64(t.Limit)
	size := math.Abs(p[0]) + math.Abs(p[1]) + math.Abs(p[2]) + math.Abs(limit)
	return !(v > limit), math.IsInf(limit, 1) || math.Abs(v-limit) > 8*kerneltest.Eps*size
}

func TestCodeBounds(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 9))
		for blocks := 1; blocks <= 9; blocks++ {
			for groups := 1; groups <= 13; groups++ {
				checkCodes(t, x, r, blocks, groups, groups%4 == 0)
			}
		}
		checkCodes(t, x, r, 1, 1<<14, true)
	})
}

// Make are the nearest whole numbers, and what is said of them is true, up to rounding.
func TestCodes(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 10))
		for _, d := range append(kerneltest.Lengths(), 500, 4096) {
			if d == 0 {
				continue
			}
			n, ld := 1+r.IntN(Rows), d+r.IntN(3)
			factors, center := kerneltest.Random(r, n), kerneltest.Edge(t, kerneltest.Random(r, d))
			v := kerneltest.Edge(t, kerneltest.Random(r, (n-1)*ld+d))
			if d > 3 && n > 2 {
				v[ld+1] = float32(math.NaN())
				v[2*ld] = float32(math.Inf(-1))
			}
			groups := (d + Group - 1) / Group
			codes, made := kerneltest.Edge(t, make([]uint8, groups*Group*Rows)), make([]Coded, n)
			Make(made, codes, v, ld, factors, center)
			for row, c := range made {
				y := make([]float64, d)
				most, size := 0.0, 0.0 // size bounds what rounding of y may do
				for i := range y {
					y[i] = float64(factors[row])*float64(v[row*ld+i]) - float64(center[i])
					most = max(most, math.Abs(y[i]))
					size = max(size, math.Abs(y[i])+math.Abs(float64(center[i])))
				}
				if most-most != 0 {
					if m := float64(c.Most); m-m == 0 || c.Scale != 0 {
						t.Fatalf("%d values, row %d: most %v, scale %v of what is not finite", d, row, c.Most, c.Scale)
					}
					continue
				}
				off := 3 * kerneltest.Eps * size
				if !(math.Abs(float64(c.Most)-most) <= off) || !(math.Abs(float64(c.Scale)-most/127) <= 2*off/127) {
					t.Fatalf("%d values, row %d: most %v, scale %v, want %v", d, row, c.Most, c.Scale, most)
				}
				squares, residual, length := 0.0, 0.0, 0.0
				for i := range y {
					length += y[i] * y[i]
					z := float64(codes[i/Group*Rows*Group+row*Group+i%Group]) - 128
					miss := y[i] - z*float64(c.Scale)
					if !(math.Abs(miss) <= float64(c.Scale)/2+130*off) || math.Abs(z) > 127 {
						t.Fatalf("%d values, row %d: code %v of %v, scale %v", d, row, z, y[i], c.Scale)
					}
					squares += z * z
					residual += miss * miss
				}
				rounds := float64(Rounds(d)) * kerneltest.Eps
				if !(math.Abs(float64(c.Squares)-squares) <= rounds*squares) ||
					!(math.Abs(math.Sqrt(float64(c.Length))-math.Sqrt(length)) <= rounds*math.Sqrt(length)+2*off*math.Sqrt(float64(d))) ||
					!(math.Abs(math.Sqrt(float64(c.Residual))-math.Sqrt(residual)) <= rounds*math.Sqrt(residual)+2*off*math.Sqrt(float64(d))) {
					t.Fatalf("%d values, row %d: Σz² %v, want %v; Σy² %v, want %v; residual %v, want %v", d, row, c.Squares, squares, c.Length, length, c.Residual, residual)
				}
			}
		}
	})
}

// A sieve sets the bits that Bounds sets, but where that is within rounding of the
// limit.
func TestCodeSieve(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 11))
		var queries Queries // with what the ones before have left
		var query Query
		for _, d := range []int{1, 2, 4, 5, 12, 16, 19, 31, 32, 64, 65, 100, 127, 128, 1000} {
			for _, n := range []int{1, 5, 6, 7, 16, 17, 40} {
				groups := (d + Group - 1) / Group
				codes := make([]uint8, SieveRows*groups*Group)
				for i := range codes {
					codes[i] = uint8(1 + r.IntN(255))
				}
				codes = kerneltest.Edge(t, codes)
				rows := kerneltest.Edge(t, kerneltest.Random(r, SieveRows*3))
				queries.Reset(n, d)
				stride := 1 + r.IntN(3)
				masks := make([]uint64, (queries.Places()-1)*stride+2)
				guard := r.Uint64()
				for i := range masks {
					masks[i] = guard
				}
				tests := make([]Test, queries.Places())
				var list [][]int8
				for i := range n {
					q := make([]int8, groups*Group)
					for j := range d {
						q[j] = int8(r.IntN(255) - 127)
						if d%2 == 1 {
							q[j] = 127
						}
					}
					tests[i] = Test{float32(r.NormFloat64()) * 1000, float32(r.NormFloat64()), 7, float32(r.NormFloat64()) * 100}
					if i == 4 {
						tests[i] = Test{0, 1, 1, float32(math.Inf(1))}
					}
					queries.Set(i, q[:d])
					list = append(list, q)
				}
				Sieve(masks, stride, codes, rows, &queries, tests, codes[:r.IntN(len(codes))])
				for i, word := range masks {
					if (i%stride > 0 || i == len(masks)-1) && word != guard {
						t.Fatalf("wrote to word %d of %d, %d apart", i, len(masks), stride)
					}
				}
				dots, mask := make([]int32, SieveRows), make([]uint64, 1)
				for i, codesOf := range list {
					query.Set(codesOf)
					codeBoundsGeneric(mask, dots, codes, rows, query, tests[i])
					for row, dot := range dots {
						want, sure := passes(tests[i], rows[row/Rows*3*Rows+row%Rows:], dot)
						if got := masks[i*stride]>>row&1 == 1; sure && got != want {
							t.Fatalf("%d queries of %d: query %d, row %d: %b, want %b", n, d, i, row, masks[i*stride], mask[0])
						}
					}
				}
			}
		}
	})
}

// BenchmarkCodes makes codes of 256 rows; BenchmarkCodeSieve compares them with 510
// queries. A product of two codes counts as two operations.
func BenchmarkCodes(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 12))
	for _, d := range benchtest.Some([]int{128, 32, 512}, 1) {
		b.Run(fmt.Sprintf("tier=%s/d=%d", cpu.Tier(), d), func(b *testing.B) {
			const n = 256
			x, center := kerneltest.Random(r, n*d), kerneltest.Random(r, d)
			codes, made, factors := make([]uint8, n*d), make([]Coded, Rows), slices.Repeat([]float32{1}, Rows)
			for b.Loop() {
				for row := 0; row < n; row += Rows {
					Make(made, codes[row*d:], x[row*d:], d, factors, center)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}

func BenchmarkCodeSieve(b *testing.B) {
	if !Sieves() {
		b.Skip("not with these kernels")
	}
	r := rand.New(rand.NewPCG(1, 12))
	for _, d := range benchtest.Some([]int{128, 32, 512, 4096}, 1) {
		b.Run(fmt.Sprintf("tier=%s/d=%d", cpu.Tier(), d), func(b *testing.B) {
			const n, queries = 256, 510
			codes, rows := make([]uint8, n*d), make([]float32, n*3)
			for i := range codes {
				codes[i] = uint8(1 + r.IntN(255))
			}
			q := new(Queries)
			q.Reset(queries, d)
			code := make([]int8, d)
			for i := range queries {
				for j := range code {
					code[j] = int8(r.IntN(255) - 127)
				}
				q.Set(i, code)
			}
			masks, tests := make([]uint64, q.Places()), slices.Repeat([]Test{{1, 1, 1, 1e9}}, q.Places())
			for b.Loop() {
				for row := 0; row < n; row += SieveRows {
					Sieve(masks, 1, codes[row*d:], rows[row*3:], q, tests, nil)
				}
			}
			b.ReportMetric(2*n*queries*float64(d)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GOP/s")
		})
	}
}

func TestSetBits(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 15))
		for n := range 9 {
			for dense := range 4 {
				masks, wanted, first := make([]uint64, n), make([]uint64, n), kerneltest.Edge(t, make([]int32, n))
				var want []int32
				for i := range masks {
					masks[i], wanted[i], first[i] = ^uint64(0), ^uint64(0)>>r.IntN(64), int32(r.IntN(1<<31-64))
					for range 4 - dense {
						masks[i] &= r.Uint64()
					}
					for j := range 64 {
						if masks[i]&wanted[i]>>j&1 == 1 {
							want = append(want, first[i]+int32(j))
						}
					}
				}
				numbers := kerneltest.Edge(t, make([]int32, 64*n))
				if got := numbers[:SetBits(numbers, masks, wanted, first)]; !slices.Equal(got, want) {
					t.Fatalf("%x and %x from %d on: %d, want %d", masks, wanted, first, got, want)
				}
			}
		}
	})
}
