//go:build !purego

package f32

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// TestTiersComplete fails if the processor has a tier that the tests do not run.
func TestTiersComplete(t *testing.T) {
	for name, has := range map[string]bool{
		"avx512": cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX2, cpuid.BMI2),
		"avx2":   cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3),
	} {
		if has != slices.Contains(Tiers(), name) {
			t.Errorf("tier %s: processor has it: %t, tested: %t", name, has, !has)
		}
	}
}

// TestGenerated compares the committed assembly with what the generator writes.
func TestGenerated(t *testing.T) {
	download := exec.Command("go", "mod", "download")
	download.Dir = "_asm"
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("the generator's modules are not to be had: %v\n%s", err, out)
	}
	dir := t.TempDir()
	generate := exec.Command("go", "run", ".", "-pkg", "f32",
		"-out", filepath.Join(dir, "kernels_amd64.s"), "-stubs", filepath.Join(dir, "kernels_amd64.go"))
	generate.Dir = "_asm"
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"kernels_amd64.s", "kernels_amd64.go"} {
		got, want := body(t, name), body(t, filepath.Join(dir, name))
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run go generate", name)
		}
	}
}

// body returns a generated file without its first line, which holds the command.
func body(t *testing.T, name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(data, []byte("\n"))
	return rest
}
