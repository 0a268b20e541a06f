//go:build !unix

package kerneltest

import (
	"slices"
	"testing"
)

// Edge returns a copy of s.
func Edge[T float32 | int32 | uint8](_ *testing.T, s []T) []T { return slices.Clip(slices.Clone(s)) }
