//go:build !unix

package winograd

import (
	"slices"
	"testing"
)

// edge returns a copy of s.
func edge[T float32 | uint8](_ *testing.T, s []T) []T { return slices.Clip(slices.Clone(s)) }
