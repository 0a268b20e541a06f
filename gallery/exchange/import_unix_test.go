//go:build unix

package exchange

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe that nobody writes to does not hold up an import.
func TestImportPipe(t *testing.T) {
	for _, name := range []string{"a.csv", "a.jsonl", "a.npy", "a.npz", "a.safetensors"} {
		path := filepath.Join(t.TempDir(), name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skip(err)
		}
		if _, err := Import(path); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
