// Package kerneltest is what the tests of assembly kernels share: every tier is
// run, slices end where a fault begins, and the committed assembly is what its
// generator writes.
package kerneltest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/sweeptest"
)

// Main runs a package's tests with the first of the tiers, f32.Tiers() (which
// this package cannot import, for f32's own tests import it), and then once more
// for each of the others in a process of its own, unless a tier is forced or
// benchmarks are asked for. It returns the exit status. Where tests shall be quick
// the first is enough: no tier has goroutines of its own for the race detector.
func Main(m *testing.M, tiers []string) int {
	code := m.Run()
	if sweeptest.Quick() || os.Getenv("LOOKALIKE_CPU") != "" || slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.bench") }) {
		return code
	}
	for _, tier := range tiers[1:] {
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

// Generated compares the assembly for arch in the folder of the package pkg that
// is tested, and its stubs, with what the generator in the folder source writes.
func Generated(t *testing.T, pkg, arch, source string) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles and runs the generator")
	}
	download := exec.Command("go", "mod", "download")
	download.Dir = source
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("the generator's modules are not to be had: %v\n%s", err, out)
	}
	dir := t.TempDir()
	assembly, stubs := "kernels_"+arch+".s", "kernels_"+arch+".go"
	generate := exec.Command("go", "run", ".", "-pkg", pkg, "-out", filepath.Join(dir, assembly), "-stubs", filepath.Join(dir, stubs))
	generate.Dir = source
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{assembly, stubs} {
		if !bytes.Equal(body(t, name), body(t, filepath.Join(dir, name))) {
			t.Errorf("%s is not what the generator writes: run go generate", name)
		}
	}
}

// body returns a generated file without its first line, which holds the command.
func body(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(data, []byte("\n"))
	return rest
}
