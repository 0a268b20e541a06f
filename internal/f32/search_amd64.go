//go:build !purego

package f32

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// rowAssembly holds a tier's kernels of search.
type rowAssembly struct {
	dot4, squaredDistance4 func(n int, q, x0, x1, x2, x3, next *float32, ld int, out *float32)
	notAbove               func(n int, mask *uint64, x *float32, limit float32)
	nearLeast              func(n int, x *float32, k int32) float32
	codeBounds             func(blocks, groups int, mask *uint64, dots *int32, codes *uint8, rows *float32, query, size *int8, start int32, keep, product, radius, limit float32)
	unsigned               bool // codeBounds takes codes as they are, 128 too large
}

// codes512 puts the kernels that make codes and go through what passes their tests into the AVX-512
// tier, and the one that compares many codes where the processor has what it needs.
func (t *tier) codes512() *tier {
	t.codeRange = func(f *fourCoded, x []float32, ld int, center []float32) {
		codeRangeAVX512(len(center), unsafe.SliceData(x), ld, unsafe.SliceData(center), &f.factors[0], &f.most[0])
	}
	t.codeMake = func(f *fourCoded, codes []uint8, x []float32, ld int, center []float32) {
		codeMakeAVX512(len(center), unsafe.SliceData(x), ld, unsafe.SliceData(center), &f.factors[0], &f.inverse[0], &f.scale[0], unsafe.SliceData(codes), &f.lengths[0], &f.squares[0], &f.residuals[0])
	}
	t.pickedDots = func(out, q, x []float32, ld int, rows []int32) {
		pickedDotsAVX512(len(rows)/4, len(q), unsafe.SliceData(out), unsafe.SliceData(q), unsafe.SliceData(x), ld, unsafe.SliceData(rows))
	}
	t.pickedSquares = func(out, q, x []float32, ld int, rows []int32) {
		pickedSquaresAVX512(len(rows)/4, len(q), unsafe.SliceData(out), unsafe.SliceData(q), unsafe.SliceData(x), ld, unsafe.SliceData(rows))
	}
	if cpuid.CPU.Supports(cpuid.AVX512VBMI2, cpuid.AVX512BW) {
		t.setBits = func(numbers []int32, masks, wanted []uint64, first []int32) int {
			return setBitsVBMI2(len(masks), unsafe.SliceData(numbers), unsafe.SliceData(masks), unsafe.SliceData(wanted), unsafe.SliceData(first))
		}
	}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI, cpuid.AVX512BW) {
		t.sievePanel = smallPanel
		t.codeSieve = func(masks []uint64, stride int, codes []uint8, rows []float32, q *CodeQueries, tests []CodeTest, ahead []uint8) {
			panels := len(q.starts) / q.panel
			codeSieveVNNI(panels, q.groups, unsafe.SliceData(masks), stride, unsafe.SliceData(codes), unsafe.SliceData(rows),
				unsafe.SliceData(q.codes), unsafe.SliceData(q.starts), &unsafe.SliceData(tests).Keep, unsafe.SliceData(ahead), (len(ahead)/64+panels-1)/panels)
		}
	}
	return t
}

// sieveTiles puts the comparison of many codes by AMX into the tier, if the processor has it.
func (t *tier) sieveTiles() *tier {
	if !cpuid.CPU.Supports(cpuid.AMXINT8, cpuid.AVX512BW) {
		return t
	}
	t.sievePanel = sievePanel{16, 64}
	t.codeSieve = func(masks []uint64, stride int, codes []uint8, rows []float32, q *CodeQueries, tests []CodeTest, ahead []uint8) {
		var room [4*16*16 + 16]int32 // four tiles, and what they need to begin with a line
		sums := &room[-uintptr(unsafe.Pointer(&room))%64/4]
		panels := len(q.starts) / q.panel
		codeSieveAMX(&sieveConfigs[q.width/CodeGroup-1], panels, q.steps, q.lastStep()*CodeRows, q.groups*CodeGroup*CodeRows, unsafe.SliceData(masks), stride, unsafe.SliceData(codes), unsafe.SliceData(rows),
			unsafe.SliceData(q.codes), q.width, unsafe.SliceData(q.starts), &unsafe.SliceData(tests).Keep, unsafe.SliceData(ahead), (len(ahead)/64+panels-1)/panels, sums)
	}
	return t
}

// sieveConfigs[groups-1] says for LDTILECFG that tiles hold so many groups of values:
// 0 to 3 are sums, 4 is of queries, 5 to 7 are of rows.
var sieveConfigs = func() (configs [16][64]byte) {
	for i := range configs {
		groups := i + 1
		for tile := range 8 {
			bytes, rows := 64, 16
			switch {
			case tile == 4:
				bytes = groups * CodeGroup
			case tile > 4:
				rows = groups
			}
			configs[i][16+2*tile] = byte(bytes)
			configs[i][48+tile] = byte(rows)
		}
		configs[i][0] = 1 // palette
	}
	return configs
}()

// addTo puts the kernels into a tier.
func (a rowAssembly) addTo(t *tier) *tier {
	t.dot4 = func(out *[4]float32, q []float32, rows *Rows, next []float32, ld int) {
		a.dot4(len(q), unsafe.SliceData(q), unsafe.SliceData(rows[0]), unsafe.SliceData(rows[1]), unsafe.SliceData(rows[2]), unsafe.SliceData(rows[3]), unsafe.SliceData(next), ld, &out[0])
	}
	t.squaredDistance4 = func(out *[4]float32, q []float32, rows *Rows, next []float32, ld int) {
		a.squaredDistance4(len(q), unsafe.SliceData(q), unsafe.SliceData(rows[0]), unsafe.SliceData(rows[1]), unsafe.SliceData(rows[2]), unsafe.SliceData(rows[3]), unsafe.SliceData(next), ld, &out[0])
	}
	t.squaresInOrder = func(sums *[4]float64, q []float32, factor float64, rows *Rows, factors *[4]float64) {
		whole := len(q) &^ 3
		if whole > 0 {
			squaresInOrderAVX2(whole, unsafe.SliceData(q), unsafe.SliceData(rows[0]), unsafe.SliceData(rows[1]), unsafe.SliceData(rows[2]), unsafe.SliceData(rows[3]), factor, &factors[0], &sums[0])
		}
		addSquaresInOrder(sums, q, factor, rows, factors, whole)
	}
	t.notAbove = func(mask []uint64, x []float32, limit float32) {
		a.notAbove(len(x), unsafe.SliceData(mask), unsafe.SliceData(x), limit)
	}
	t.nearLeast = func(x []float32, k int) float32 { return a.nearLeast(len(x), unsafe.SliceData(x), int32(k)) }
	t.codeBounds = func(mask []uint64, dots []int32, codes []uint8, rows []float32, q CodeQuery, test CodeTest) {
		var start int32
		if a.unsigned {
			start = -128 * q.sum
		}
		a.codeBounds(len(dots)/CodeRows, len(q.codes)/CodeGroup, unsafe.SliceData(mask), unsafe.SliceData(dots), unsafe.SliceData(codes), unsafe.SliceData(rows),
			unsafe.SliceData(q.codes), unsafe.SliceData(q.sizes), start, test.Keep, test.Product, test.Radius, test.Limit)
	}
	t.setBits = setBitsGeneric
	t.pickedDots, t.pickedSquares = fourPicked(t.dot4), fourPicked(t.squaredDistance4)
	t.codeRange, t.codeMake = codeRangeGeneric, codeMakeGeneric
	return t
}
