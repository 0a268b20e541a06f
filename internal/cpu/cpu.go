// Package cpu knows what the processor has: the tiers of kernels that it can run, of which
// the best is chosen once, when the program starts, and the sizes of its caches.
//
// LOOKALIKE_CPU=amx|avx512|avx2|neon|generic forces a tier, for tests and for support. A
// name that is unknown, or that this processor or build lacks, is reported on
// standard error and the best tier is used. The build tag purego leaves the
// assembly out.
package cpu

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

var (
	available = append(archTiers(), "generic")
	active    = choose(available, os.Getenv("LOOKALIKE_CPU"), os.Stderr)
)

// choose returns the tier called name, or the best one; it complains of a name
// that is not there.
func choose(tiers []string, name string, complaints io.Writer) string {
	if name == "" || slices.Contains(tiers, name) {
		return cmp.Or(name, tiers[0])
	}
	fmt.Fprintf(complaints, "lookalike: LOOKALIKE_CPU=%q is not one of the kernels that this processor and build have (%s): using %s\n",
		name, strings.Join(tiers, ", "), tiers[0])
	return tiers[0]
}

// Tier returns the name of the tier in use.
func Tier() string { return active }

// Tiers returns the names of the tiers that this processor and build can run,
// best first.
func Tiers() []string { return slices.Clone(available) }
