package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/sweeptest"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/training"
)

// The model that is written does not depend on the number of processors.
func TestTrainThreads(t *testing.T) {
	photos := drawn(t, 2)
	var first []byte
	for _, threads := range []string{"1", "2", "5"} {
		model := filepath.Join(t.TempDir(), "m.safetensors")
		printed(t, "train", photos, "-o", model, "--size", "48", "--batch", "8", "--epochs", "2", "--threads", threads, "--quiet")
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
	sweeptest.Slow(t, "trains four times")
	photos := drawn(t, 8)
	dir := t.TempDir()
	const epochs = 5
	args := func(model string) []string {
		return []string{"train", photos, "-o", model, "--size", "64", "--batch", "8", "--seed", "9", "--epochs", fmt.Sprint(epochs),
			"--validation", "0.2", "--augment", "flip,crop", "--patience", "1"}
	}
	whole := filepath.Join(dir, "whole.safetensors")
	printed(t, append(args(whole), "--quiet")...)

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
				if code := cmd.ProcessState.ExitCode(); code != cli.StatusInterrupted {
					t.Fatalf("exit status %d, want %d", code, cli.StatusInterrupted)
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
				printed(t, again...)
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
	ended := startUntil(t, cmd, func() bool { return len(locks(t, dir)) == 2 }) // of the model and the log
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != cli.StatusInterrupted {
		t.Errorf("exit status %d, want %d", code, cli.StatusInterrupted)
	}
	if !strings.Contains(stderr.String(), "nothing was written") {
		t.Errorf("stderr is %q", &stderr)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s is left behind", e.Name())
	}
}

// locks are the files by which running commands hold their outputs in a folder.
func locks(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".lookalike-*.lock"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Of two trainings to one file the second is refused at its start, and a file that
// appears while the first is at work stays.
func TestTrainAlone(t *testing.T) {
	photos, dir := drawn(t, 8), t.TempDir()
	model := filepath.Join(dir, "m.safetensors")
	args := []string{"train", photos, "-o", model, "--size", "96", "--epochs", "1"}
	cmd := exec.CommandContext(t.Context(), "lookalike", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	ended := startUntil(t, cmd, func() bool { return len(locks(t, dir)) == 1 })
	if out, err := exec.CommandContext(t.Context(), "lookalike", args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "another run of this program is writing it") {
		t.Errorf("a second run: %v\n%s", err, out)
	}
	if err := os.WriteFile(model, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(stderr.String(), "exists") {
		t.Errorf("a file has appeared: %v\n%s", err, &stderr)
	}
	if got := string(read(t, model)); got != "theirs" {
		t.Errorf("it holds %d bytes", len(got))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".lookalike-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A file that is being trained is refused whatever is asked for, before and after its first
// epoch, and so is its log.
func TestTrainBusy(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	model, log := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "loss.csv")
	set, err := album.Folder(os.DirFS(photos), picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c, err := training.OpenAutoencoder(model, autoencoder.Config{Size: 32}, training.Log(log), training.Resume(), training.Epochs(2))
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"-o", model}, {"-o", model, "--resume"}, {"-o", filepath.Join(dir, "other"), "--log", log},
			{"-o", model, "--embedding", "arcface", "--base", "encoder"},
		} {
			args = append([]string{"train", photos, "--size", "32"}, args...)
			out, err := exec.CommandContext(t.Context(), "lookalike", args...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "another run of this program is writing it; wait for its end or choose another name") {
				t.Errorf("%s: %v\n%s", args, err, out)
			}
		}
		if _, err := c.Divide(set); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Train(t.Context(), nn.OnEpoch(func(nn.EpochStats) error { return nn.ErrStop })); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}

// Wherever training is killed, the log has a line for each epoch of the model, and
// going on gives each epoch one line.
func TestTrainLogKilled(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	model, log := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "loss.csv")
	epochs := func() int {
		if _, err := os.Stat(model); err != nil {
			return 0
		}
		_, record, err := autoencoder.Resume(model)
		if err != nil {
			t.Fatal(err)
		}
		return len(record.Losses)
	}
	total := 0
	for round := range sweeptest.Cases(4, 8, 60) {
		total += 2
		done, args := epochs(), []string{"train", photos, "-o", model, "--size", "32", "--batch", "8", "--log", log, "--epochs", fmt.Sprint(total + 50), "--quiet"}
		if done > 0 {
			args = append(args, "--resume")
		}
		cmd := exec.CommandContext(t.Context(), "lookalike", args...)
		size := func(path string) (n int64, changed time.Time) {
			if info, err := os.Stat(path); err == nil {
				n, changed = info.Size(), info.ModTime()
			}
			return n, changed
		}
		lines, _ := size(log)
		_, saved := size(model)
		ended := startUntil(t, cmd, func() bool { // as soon as one of them changes
			n, _ := size(log)
			_, when := size(model)
			if round%2 == 0 {
				return n > lines
			}
			return when.After(saved)
		})
		cmd.Process.Kill()
		if err := <-ended; err == nil {
			t.Fatalf("round %d ended by itself", round)
		}
		logged := logged(t, log)
		if now := epochs(); now == 1 && len(logged) == 0 {
			continue // the log is made beside the model
		} else if len(logged) < now || len(logged) > now+1 {
			t.Fatalf("round %d: %d lines, %d epochs", round, len(logged), now)
		}
		for i, line := range logged {
			if line[0] != fmt.Sprint(i+1) {
				t.Fatalf("round %d: line %d is of epoch %s", round, i+1, line[0])
			}
		}
	}
	final := fmt.Sprint(epochs() + 1)
	printed(t, "train", photos, "-o", model, "--log", log, "--epochs", final, "--resume", "--quiet")
	if lines := logged(t, log); fmt.Sprint(len(lines)) != final {
		t.Errorf("%d lines of %s epochs", len(lines), final)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".lookalike-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// logged returns the lines of a log behind the heading, but a last one that is cut short;
// none if there is no log.
func logged(t *testing.T, path string) (lines [][]string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	all := strings.SplitAfter(string(data), "\n")
	for _, line := range all[1:] {
		if text, whole := strings.CutSuffix(line, "\n"); whole {
			lines = append(lines, strings.Split(text, ","))
		}
	}
	return lines
}

// A pipe may be the log. One that nobody reads is refused, and one that is read by
// nobody any more does not keep the program from ending.
func TestTrainLogPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no pipes with names in folders")
	}
	photos, dir := drawn(t, 1), t.TempDir()
	pipe, model := filepath.Join(dir, "pipe"), filepath.Join(dir, "m.safetensors")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skip("no pipe:", err)
	}
	args := []string{"train", photos, "-o", model, "--size", "32", "--log", pipe, "--epochs", "2"}
	if out, err := exec.CommandContext(t.Context(), "lookalike", args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "nobody reads it") {
		t.Errorf("without a reader: %v\n%s", err, out)
	}
	both, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	printed(t, args...)
	lines := bufio.NewReader(both)
	for _, want := range []string{"epoch,", "1,", "2,"} {
		if line, err := lines.ReadString('\n'); !strings.HasPrefix(line, want) {
			t.Errorf("%q, %v, want %q", line, err, want)
		}
	}

	// Full, and nobody reads.
	if err := both.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Skip("no deadline for pipes:", err)
	}
	for err == nil {
		_, err = both.Write(make([]byte, 4096))
	}
	cmd := exec.CommandContext(t.Context(), "lookalike", append(args, "--resume", "--epochs", "9")...)
	before := read(t, model)
	ended := startUntil(t, cmd, func() bool { return !bytes.Equal(read(t, model), before) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != cli.StatusInterrupted {
		t.Errorf("exit status %d, want %d", code, cli.StatusInterrupted)
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

// An empty file, as mktemp makes one, is as good a log as none.
func TestTrainLogEmpty(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	log := filepath.Join(dir, "log.csv")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	printed(t, "train", photos, "-o", filepath.Join(dir, "m"), "--size", "32", "--epochs", "2", "--log", log, "--quiet")
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(data), "\n"); lines != 3 || !strings.HasPrefix(string(data), "epoch,loss") {
		t.Errorf("the log is\n%s", data)
	}
}

// A rate that float32 takes for 0 would train nothing.
func TestTrainRate(t *testing.T) {
	for _, rate := range []string{"1e-50", "0", "-0", "NaN", "Inf", "1e10"} {
		out, err := exec.CommandContext(t.Context(), "lookalike", "train", t.TempDir(), "-o", filepath.Join(t.TempDir(), "m"), "--lr", rate).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "give a number from 1e-30 to 1e6") {
			t.Errorf("--lr %s: %v, %s", rate, err, out)
		}
	}
}
