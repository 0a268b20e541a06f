package code8

import (
	"fmt"
	"math/bits"
)

// SetBits writes first[i]+j for each bit j that is set in masks[i] and in wanted[i], in order,
// and returns how many these are. There must be room for 64 numbers a mask.
func SetBits(numbers []int32, masks, wanted []uint64, first []int32) int {
	if len(numbers) < 64*len(masks) || len(wanted) < len(masks) || len(first) < len(masks) {
		panic(fmt.Sprintf("code8.SetBits: %d masks of %d, from %d numbers, to %d", len(masks), len(wanted), len(first), len(numbers)))
	}
	if len(masks) == 0 {
		return 0
	}
	return active.setBits(numbers, masks, wanted, first)
}

func setBitsGeneric(numbers []int32, masks, wanted []uint64, first []int32) int {
	n := 0
	for i, mask := range masks {
		for mask &= wanted[i]; mask != 0; mask &= mask - 1 {
			numbers[n] = first[i] + int32(bits.TrailingZeros64(mask))
			n++
		}
	}
	return n
}
