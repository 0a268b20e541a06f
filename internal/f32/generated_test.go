package f32

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated compares the committed assembly with what the generators write.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs the generators")
	}
	for arch, source := range map[string]string{"amd64": "_asm", "arm64": "_asm/neon"} {
		t.Run(arch, func(t *testing.T) {
			download := exec.Command("go", "mod", "download")
			download.Dir = source
			if out, err := download.CombinedOutput(); err != nil {
				t.Skipf("the generator's modules are not to be had: %v\n%s", err, out)
			}
			dir := t.TempDir()
			names := []string{"kernels_" + arch + ".s", "kernels_" + arch + ".go"}
			generate := exec.Command("go", "run", ".", "-pkg", "f32", "-out", filepath.Join(dir, names[0]), "-stubs", filepath.Join(dir, names[1]))
			generate.Dir = source
			if out, err := generate.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, name := range names {
				got, want := body(t, name), body(t, filepath.Join(dir, name))
				if !bytes.Equal(got, want) {
					t.Errorf("%s is not what the generator writes: run go generate", name)
				}
			}
		})
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
