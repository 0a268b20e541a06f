//go:build !purego

package winograd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lookalike/internal/f32"
)

// TestTier finds assembly for every tier that f32 has assembly for.
func TestTier(t *testing.T) {
	if (arch == nil) != (f32.Tier() == "generic") {
		t.Errorf("tier %s: assembly: %t", f32.Tier(), arch != nil)
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
	generate := exec.Command("go", "run", ".", "-pkg", "winograd",
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
