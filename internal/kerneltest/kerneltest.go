// Package kerneltest is what the tests of assembly kernels share: every tier is
// run, and slices end where a fault begins.
package kerneltest

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/cpu"
	"lookalike/internal/sweeptest"
)

// Main runs a package's tests with the first of the tiers, cpu.Tiers() (which
// this package cannot import, for f32's own tests import it), and then once more
// for each of the others in a process of its own, unless a tier is forced or
// benchmarks are asked for. It returns the exit status. Where tests shall be quick
// the first is enough: no tier has goroutines of its own for the race detector.
func Main(m *testing.M) int {
	code := m.Run()
	if sweeptest.Quick() || os.Getenv("LOOKALIKE_CPU") != "" || slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.bench") }) {
		return code
	}
	for _, tier := range cpu.Tiers()[1:] {
		// What the generators write depends on no tier.
		cmd := exec.Command(os.Args[0], append([]string{"-test.skip=^TestGenerated$"}, os.Args[1:]...)...)
		cmd.Env = append(os.Environ(), "LOOKALIKE_CPU="+tier)
		out, err := cmd.CombinedOutput()
		fmt.Printf("tier %s:\n%s", tier, out)
		if err != nil {
			code = 1
		}
	}
	return code
}
