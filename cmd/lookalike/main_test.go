package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lookalike/internal/sample"
	"lookalike/internal/sheet"
	"lookalike/internal/sweeptest"
	"lookalike/picture"
	"lookalike/picture/heif"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// The tests run the real program: this binary, under the name lookalike.
func TestMain(m *testing.M) {
	heif.Main()
	if _, ok := os.LookupEnv("LOOKALIKE_CONFIG"); !ok {
		os.Setenv("LOOKALIKE_CONFIG", os.DevNull) // not the settings of whoever runs the tests
	}
	if _, ok := os.LookupEnv("GORACE"); !ok {
		os.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits a second at the end of each program
	}
	testscript.Main(m, map[string]func(){"lookalike": main, "peak": tellPeak})
}

// TestScripts runs all scripts in testdata/script, several at once; one with -run
// TestScripts/NAME. Besides testscript's own commands they know
//
//	status CODE COMMAND… runs a command that must exit with that status
//	draw DIR N           draws N pictures of each class as DIR/CLASS/NAME.png
//	model FILE           writes an autoencoder that was trained, for scripts about other things
//	size MIN FILE...     fails unless each file has at least MIN bytes
//	shrink FROM TO       writes half of a picture's size as PNG
//	touch FILE YEAR      makes a file as old as the first day of that year
//	same A B             fails unless both are one file
//	cut FILE N           leaves the first N bytes of a file
//	flip FILE N          flips a bit of its byte N
//	fixture NAME FILE    copies a file of picture/testdata
//	blind FILE           writes a VGG16 that sees a tabby on every picture
//	vgg FILE             writes the convolutions of a VGG16, with random weights
//
// and the condition quick: what takes seconds is to be left out.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Condition: func(word string) (bool, error) {
			if word == "quick" {
				return sweeptest.Quick(), nil
			}
			return false, fmt.Errorf("there is no condition %q", word)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				got, err := 0, ts.Exec(args[1], args[2:]...)
				if exit, ok := errors.AsType[*exec.ExitError](err); ok {
					got = exit.ExitCode()
				} else {
					ts.Check(err)
				}
				if fmt.Sprint(got) != args[0] {
					ts.Fatalf("exit status %d, want %s", got, args[0])
				}
			},
			"draw": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Check(draw(ts.MkAbs(args[0]), n))
			},
			"model": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(writeModel(ts.MkAbs(args[0])))
			},
			"fixture": func(ts *testscript.TestScript, _ bool, args []string) {
				content, err := os.ReadFile(filepath.Join("..", "..", "picture", "testdata", filepath.FromSlash(args[0])))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), content, 0o666))
			},
			"vgg": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(writeVGG(ts.MkAbs(args[0])))
			},
			"blind": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(writeBlind(ts.MkAbs(args[0])))
			},
			"shrink": func(ts *testscript.TestScript, _ bool, args []string) {
				m, err := picture.File(ts.MkAbs(args[0]), picture.Options{})
				ts.Check(err)
				ts.Check(sheet.Write(ts.MkAbs(args[1]), picture.Area(m, m.Width/2, m.Height/2).RGBA()))
			},
			"touch": func(ts *testscript.TestScript, _ bool, args []string) {
				year, err := strconv.Atoi(args[1])
				ts.Check(err)
				day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
				ts.Check(os.Chtimes(ts.MkAbs(args[0]), day, day))
			},
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
			},
			"flip": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				content, err := os.ReadFile(ts.MkAbs(args[0]))
				ts.Check(err)
				content[n] ^= 4
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o666))
			},
			"same": func(ts *testscript.TestScript, not bool, args []string) {
				a, err := os.Stat(ts.MkAbs(args[0]))
				ts.Check(err)
				b, err := os.Stat(ts.MkAbs(args[1]))
				ts.Check(err)
				if os.SameFile(a, b) == not {
					ts.Fatalf("%s and %s: one file is %v", args[0], args[1], !not)
				}
			},
			"size": func(ts *testscript.TestScript, _ bool, args []string) {
				least, err := strconv.ParseInt(args[0], 10, 64)
				ts.Check(err)
				for _, name := range args[1:] {
					info, err := os.Stat(ts.MkAbs(name))
					ts.Check(err)
					if info.Size() < least {
						ts.Fatalf("%s has %d bytes", name, info.Size())
					}
				}
			},
		},
	})
}

// draw writes n small pictures of each class as DIR/CLASS/NAME.png.
func draw(dir string, n int) error {
	for p := range sample.Gallery(1, n, 48) {
		err := os.MkdirAll(filepath.Join(dir, p.Class), 0o755)
		if err = cmp.Or(err, sheet.Write(filepath.Join(dir, p.Class, p.Name+".png"), p.Image)); err != nil {
			return err
		}
	}
	return nil
}

// drawn returns a folder with n pictures of each class.
func drawn(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "photos")
	if err := draw(dir, n); err != nil {
		t.Fatal(err)
	}
	return dir
}

// printed runs the program and returns what it prints; it must exit with 0.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var errs strings.Builder
	cmd := exec.CommandContext(t.Context(), "lookalike", args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lookalike %s: %v\n%s", strings.Join(args, " "), err, &errs)
	}
	return string(out)
}

// writeModel writes an autoencoder of pictures of 32 pixels that makes codes of 8 numbers.
func writeModel(path string) error {
	model, err := learned()
	return cmp.Or(err, os.WriteFile(path, model, 0o644))
}

// learned is the file of that autoencoder, which the program has trained once for all tests.
var learned = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lookalike-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	photos, model := filepath.Join(dir, "photos"), filepath.Join(dir, "m.safetensors")
	if err := draw(photos, 4); err != nil {
		return nil, err
	}
	if out, err := exec.Command("lookalike", "train", photos, "-o", model, "--size", "32", "--code", "8", "--epochs", "1", "--quiet").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(model)
})

// trained is writeModel for a test.
func trained(t *testing.T, path string) {
	t.Helper()
	if err := writeModel(path); err != nil {
		t.Fatal(err)
	}
}

// startUntil starts a program and returns when it has done something, or has ended
// before; how it ends comes in the channel.
func startUntil(t *testing.T, cmd *exec.Cmd, done func() bool) (ended <-chan error) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait := make(chan error, 1)
	go func() { wait <- cmd.Wait() }()
	for len(wait) == 0 && !done() {
		time.Sleep(time.Millisecond)
	}
	return wait
}

// writeVGG writes the convolutions of a VGG16, with random weights.
func writeVGG(path string) error {
	arrays, err := convolutions()
	if err != nil {
		return err
	}
	return weights.Save(path, arrays, nil)
}

// convolutions are drawn once: there are 14.7 million.
var convolutions = sync.OnceValues(func() (map[string]*tensor.Tensor, error) {
	net, err := vgg.New16(vgg.Config{NoTop: true}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		return nil, err
	}
	arrays := map[string]*tensor.Tensor{}
	for _, p := range net.Params() {
		arrays[p.Name] = p.Value
	}
	return arrays, nil
})
