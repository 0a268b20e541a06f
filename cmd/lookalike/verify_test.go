package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/internal/sweeptest"
)

// The published weights get their certificate, without Python.
func TestVerifyPublishedWeights(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
	file := ""
	for up := dir; file == ""; up = filepath.Dir(up) {
		if path := filepath.Join(up, "shared", "weights", name); exists(path) {
			file = path
		} else if up == filepath.Dir(up) {
			t.Skipf("there is no shared/weights/%s", name)
		}
	}
	out := printed(t, "verify", file)
	for _, want := range []string{"block1_conv1  ", "block5_pool  ", "\n18 layers agree with Keras to "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "OFF") {
		t.Errorf("off:\n%s", out)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// Weights that see nothing are off in every layer that the program knows, and the
// exit status says so.
func TestVerifyOff(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
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
