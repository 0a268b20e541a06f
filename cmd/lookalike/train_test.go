package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTrain(t *testing.T) { script(t, "train") }

func TestTrainEmbedding(t *testing.T) { script(t, "train-embedding") }

func TestTrainWatched(t *testing.T) { script(t, "train-watch") }

// The model that is written does not depend on the number of processors.
func TestTrainThreads(t *testing.T) {
	photos := drawn(t, 2)
	var first []byte
	for _, threads := range []string{"1", "2", "5"} {
		model := filepath.Join(t.TempDir(), "m.safetensors")
		lookalike(t, "train", photos, "-o", model, "--size", "48", "--batch", "8", "--epochs", "2", "--threads", threads, "--quiet")
		got := read(t, model)
		if first == nil {
			first = got
		} else if !bytes.Equal(got, first) {
			t.Errorf("--threads %s gives another model than --threads 1", threads)
		}
	}
}

// A training that is interrupted in the midst of an epoch, told to end or
// killed, goes on with the command that it prints, or the same one with
// --resume, to the bytes of an unbroken run.
func TestTrainInterrupted(t *testing.T) {
	photos := drawn(t, 8)
	dir := t.TempDir()
	const epochs = 5
	args := func(model string) []string {
		return []string{"train", photos, "-o", model, "--size", "64", "--batch", "8", "--seed", "9", "--epochs", fmt.Sprint(epochs),
			"--validation", "0.2", "--augment", "flip,crop", "--patience", "1"}
	}
	whole := filepath.Join(dir, "whole.safetensors")
	lookalike(t, append(args(whole), "--quiet")...)

	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			model := filepath.Join(dir, fmt.Sprintf("my %d.safetensors", signal))
			cmd := exec.CommandContext(t.Context(), "lookalike", args(model)...)
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var last string
			lines := bufio.NewScanner(stderr)
			for lines.Scan() {
				last = lines.Text()
				if strings.HasPrefix(last, "epoch 2/") {
					if err := cmd.Process.Signal(signal); err != nil {
						t.Fatal(err)
					}
				}
			}
			cmd.Wait()

			again := append(args(model), "--resume")
			if signal != syscall.SIGKILL {
				if code := cmd.ProcessState.ExitCode(); code != statusInterrupted {
					t.Fatalf("exit status %d, want %d", code, statusInterrupted)
				}
				command, ok := strings.CutPrefix(last, "  lookalike ")
				if !ok {
					t.Fatalf("the last line is %q, want the command to go on", last)
				}
				out, err := exec.CommandContext(t.Context(), "sh", "-c", "lookalike "+command).CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
				if strings.Contains(string(out), "epoch 2/") {
					t.Errorf("going on begins anew:\n%s", out)
				}
			} else {
				lookalike(t, again...)
			}
			if !bytes.Equal(read(t, model), read(t, whole)) {
				t.Error("the model differs from that of an unbroken run")
			}
		})
	}
}

// Before the first epoch is over there is nothing to go on from, and nothing is
// left behind.
func TestTrainInterruptedAtOnce(t *testing.T) {
	photos, dir := drawn(t, 8), t.TempDir()
	cmd := exec.CommandContext(t.Context(), "lookalike", "train", photos, "-o", filepath.Join(dir, "m.safetensors"), "--size", "224", "--epochs", "2", "--log", filepath.Join(dir, "loss.csv"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	ended := startUntil(t, cmd, func() bool { // the log is opened when the work begins
		_, err := os.Stat(filepath.Join(dir, "loss.csv"))
		return err == nil
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != statusInterrupted {
		t.Errorf("exit status %d, want %d", code, statusInterrupted)
	}
	if !strings.Contains(stderr.String(), "nothing was written") {
		t.Errorf("stderr is %q", &stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "loss.csv" {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
