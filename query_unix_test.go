//go:build unix

package lookalike_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"lookalike"
)

// A pipe, which has no writer, is not waited for.
func TestFileIsNoPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.jpg")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := lookalike.File(pipe).SHA256(); err == nil {
		t.Error("a pipe is a picture's file")
	}
}
