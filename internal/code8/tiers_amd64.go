//go:build !purego

package code8

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// tierOf returns the tier of a name.
func tierOf(name string) *tier {
	switch name {
	case "amx":
		return avxTier(name).with512().withTiles()
	case "avx512":
		return avxTier(name).with512()
	case "avx2":
		return avxTier(name)
	}
	return generic
}

// avxTier returns AVX2's tier, under that name.
func avxTier(name string) *tier {
	t := *generic
	t.name, t.bounds = name, boundsOf(codeBoundsAVX2, false)
	return &t
}

// boundsOf wraps assembly, which is unsigned if it takes codes as they are, 128 too large.
func boundsOf(bounds func(blocks, groups int, mask *uint64, dots *int32, codes *uint8, rows *float32, query, size *int8, start int32, keep, product, radius, limit float32), unsigned bool) boundsKernel {
	return func(mask []uint64, dots []int32, codes []uint8, rows []float32, q Query, test Test) {
		var start int32
		if unsigned {
			start = -128 * q.sum
		}
		bounds(len(dots)/Rows, len(q.codes)/Group, unsafe.SliceData(mask), unsafe.SliceData(dots), unsafe.SliceData(codes), unsafe.SliceData(rows),
			unsafe.SliceData(q.codes), unsafe.SliceData(q.sizes), start, test.Keep, test.Product, test.Radius, test.Limit)
	}
}

// with512 puts the kernels of AVX-512 into the tier, and of its extensions those that the
// processor has.
func (t *tier) with512() *tier {
	t.codeRange = func(f *fourCoded, x []float32, ld int, center []float32) {
		codeRangeAVX512(len(center), unsafe.SliceData(x), ld, unsafe.SliceData(center), &f.factors[0], &f.most[0])
	}
	t.codeMake = func(f *fourCoded, codes []uint8, x []float32, ld int, center []float32) {
		codeMakeAVX512(len(center), unsafe.SliceData(x), ld, unsafe.SliceData(center), &f.factors[0], &f.inverse[0], &f.scale[0], unsafe.SliceData(codes), &f.lengths[0], &f.squares[0], &f.residuals[0])
	}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI) {
		t.bounds = boundsOf(codeBoundsVNNI, true)
	}
	if cpuid.CPU.Supports(cpuid.AVX512VBMI2, cpuid.AVX512BW) {
		t.setBits = func(numbers []int32, masks, wanted []uint64, first []int32) int {
			return setBitsVBMI2(len(masks), unsafe.SliceData(numbers), unsafe.SliceData(masks), unsafe.SliceData(wanted), unsafe.SliceData(first))
		}
	}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI, cpuid.AVX512BW) {
		t.sievePanel = smallPanel
		t.codeSieve = func(masks []uint64, stride int, codes []uint8, rows []float32, q *Queries, tests []Test, ahead []uint8) {
			panels := len(q.starts) / q.panel
			codeSieveVNNI(panels, q.groups, unsafe.SliceData(masks), stride, unsafe.SliceData(codes), unsafe.SliceData(rows),
				unsafe.SliceData(q.codes), unsafe.SliceData(q.starts), &unsafe.SliceData(tests).Keep, unsafe.SliceData(ahead), (len(ahead)/64+panels-1)/panels)
		}
	}
	return t
}

// withTiles puts the comparison of many codes by AMX into the tier, if the processor has it.
func (t *tier) withTiles() *tier {
	if !cpuid.CPU.Supports(cpuid.AMXINT8, cpuid.AVX512BW) {
		return t
	}
	t.sievePanel = sievePanel{16, 64}
	t.codeSieve = func(masks []uint64, stride int, codes []uint8, rows []float32, q *Queries, tests []Test, ahead []uint8) {
		var room [4*16*16 + 16]int32 // four tiles, and what they need to begin with a line
		sums := &room[-uintptr(unsafe.Pointer(&room))%64/4]
		panels := len(q.starts) / q.panel
		codeSieveAMX(&sieveConfigs[q.width/Group-1], panels, q.steps, q.lastStep()*Rows, q.groups*Group*Rows, unsafe.SliceData(masks), stride, unsafe.SliceData(codes), unsafe.SliceData(rows),
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
				bytes = groups * Group
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
