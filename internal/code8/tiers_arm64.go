//go:build !purego

package code8

import "unsafe"

// tierOf returns the tier of a name.
func tierOf(name string) *tier {
	if name != "neon" {
		return generic
	}
	t := *generic
	t.name, t.bounds = name, blockwise(func(dots []int32, codes []uint8, q Query) {
		codeDotsNEON(len(q.codes)/Group, unsafe.SliceData(codes), unsafe.SliceData(q.codes), unsafe.SliceData(dots))
	})
	return &t
}
