package kerneltest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated compares the committed assembly, and the Go that goes with it, with
// what the generator writes. A generator that cannot run is a failure, too.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs the generator")
	}
	const root = ".." // where the packages' folders are
	dir := t.TempDir()
	for _, pkg := range []string{"f32", "tile", "code8", "winograd"} {
		if err := os.Mkdir(filepath.Join(dir, pkg), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	generate := exec.Command("go", "run", ".", "-root", dir)
	generate.Env = append(os.Environ(), "GOOS=", "GOARCH=") // it runs here, whatever is tested
	generate.Dir = filepath.Join(root, "_asm")
	if _, err := os.ReadDir(generate.Dir); err != nil { // read here, its files are what go test's cached result depends on
		t.Fatal(err)
	}
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("the generator, internal/_asm, does not run: %v\n%s", err, out)
	}
	written, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(written) == 0 {
		t.Fatalf("the generator wrote nothing: %v", err)
	}
	for _, name := range written {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(root, rel)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("internal/%s is not what the generator writes: run go generate ./internal/f32 (%v)", filepath.ToSlash(rel), err)
		}
	}
}
