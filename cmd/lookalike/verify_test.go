package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) { script(t, "verify") }

// Weights that see nothing are off in every layer that the program knows, and the
// exit status says so.
func TestVerifyOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blind.safetensors")
	if err := writeBlind(file); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "lookalike", "verify", file).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("exit status %v", err)
	}
	for what, want := range map[string]int{"  OFF\n": 18, "not in the reference\n": 4, "18 of 18 layers are off": 1} {
		if got := strings.Count(string(out), what); got != want {
			t.Errorf("%q comes %d times, want %d:\n%s", what, got, want, out)
		}
	}
}
