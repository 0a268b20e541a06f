package putaway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lookalike/internal/sweeptest"
)

// What the process that TestMain runs is to do.
const (
	killJob  = "LOOKALIKE_TEST_KILL_JOB" // apply or undo
	killDir  = "LOOKALIKE_TEST_KILL_DIR"
	killWay  = "LOOKALIKE_TEST_KILL_WAY"
	killCall = "LOOKALIKE_TEST_KILL_CALL" // number of the call before which it ends
)

const killed = 77 // its exit status

func TestMain(m *testing.M) {
	job := os.Getenv(killJob)
	if job == "" {
		os.Exit(m.Run())
	}
	last, err := strconv.Atoi(os.Getenv(killCall))
	if err != nil {
		panic(err)
	}
	before = way(os.Getenv(killWay)).calls(func(n int) error {
		if n == last {
			os.Exit(killed) // no deferred call runs, and the system gives locks back
		}
		return nil
	})
	if job == "apply" {
		err = errors.Join(applyAll(os.Getenv(killDir))...)
	} else {
		err = undoAll(os.Getenv(killDir))
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// way is how the system does things: "held" if it cannot rename to a new name at
// once, "copied" if files go to another device.
type way string

var ways = []way{"", "held", "copied", "held copied"}

// calls returns a value for before that also tells each about its number, from 1.
func (w way) calls(each func(n int) error) func(call, path string) error {
	n := 0
	return func(call, path string) error {
		n++
		if err := each(n); err != nil {
			return &fs.PathError{Op: call, Path: path, Err: err}
		}
		switch {
		case call == "rename at once" && strings.Contains(string(w), "held"):
			return errors.ErrUnsupported
		case strings.HasPrefix(call, "rename") && strings.Contains(string(w), "copied") && !strings.HasPrefix(filepath.Base(path), ".lookalike-"):
			return syscall.EXDEV
		}
		return nil
	}
}

func use(t *testing.T, calls func(call, path string) error) {
	t.Cleanup(func() { before = func(string, string) error { return nil } })
	before = calls
}

func nothing(int) error { return nil }

// lay makes a folder of files to put away, in memory if there is such a place: there
// are many, and disks take their time to sync.
func lay(t *testing.T) (dir, photos string) {
	dir, err := os.MkdirTemp("/dev/shm", "lookalike-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, text := range map[string]string{"a": "one", "x/b": "", "c": "linked", "d": "", "keep": "linked", "keep empty": ""} {
		write(t, filepath.Join(dir, "photos", filepath.FromSlash(name)), text)
	}
	return dir, tree(t, filepath.Join(dir, "photos"))
}

// applyAll puts them away as far as it can.
func applyAll(dir string) (errs []error) {
	j, err := Create(filepath.Join(dir, "journal"), "test")
	if err != nil {
		return []error{err}
	}
	photo := func(name string) string { return filepath.Join(dir, "photos", filepath.FromSlash(name)) }
	for _, file := range [][2]string{{"a", "one"}, {"x/b", ""}} {
		name, text := file[0], file[1]
		_, err := j.Move(photo(name), filepath.Join(dir, "away", filepath.FromSlash(name)), sha256.Sum256([]byte(text)))
		errs = append(errs, err)
	}
	for _, pair := range [][3]string{{"c", "keep", "linked"}, {"d", "keep empty", ""}} {
		_, err := j.Link(photo(pair[0]), photo(pair[1]), sha256.Sum256([]byte(pair[2])))
		errs = append(errs, err)
	}
	return append(errs, j.Close())
}

func undoAll(dir string) error {
	var errs []error
	err := Undo(context.Background(), filepath.Join(dir, "journal"), false, func(u Undone) { errs = append(errs, u.Err) })
	return errors.Join(err, errors.Join(errs...))
}

// killAt lets a process do a job and kills it before a call. It returns false if there
// are not so many.
func killAt(t *testing.T, job, dir string, w way, call int) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), killJob+"="+job, killDir+"="+dir, killWay+"="+string(w), killCall+"="+strconv.Itoa(call))
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() != killed {
		t.Fatalf("%s, to be killed at call %d: %v\n%s", job, call, err, out)
	}
	return err != nil
}

// expectBack undoes, if there is a journal, and makes sure that all is as before and
// nothing is left.
func expectBack(t *testing.T, dir, before string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "journal")); err == nil {
		if err := undoAll(dir); err != nil {
			t.Fatalf("undo: %v", err)
		}
	}
	if after := tree(t, filepath.Join(dir, "photos")); after != before {
		t.Fatalf("after undo:\n%s\nbefore:\n%s", after, before)
	}
	for _, pair := range [][2]string{{"c", "keep"}, {"d", "keep empty"}} {
		if os.SameFile(stat(t, filepath.Join(dir, "photos", pair[0])), stat(t, filepath.Join(dir, "photos", pair[1]))) {
			t.Fatalf("%s is still a link", pair[0])
		}
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "photos")), os.RemoveAll(filepath.Join(dir, "journal"))); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, dir); left != "" {
		t.Fatalf("left behind: %s", left)
	}
}

// A run, or an undo, that is killed before any of its calls to the system can be
// undone: every file is back, and nothing else is there.
func TestKilledAtEachCall(t *testing.T) {
	for _, w := range ways {
		for _, job := range []string{"apply", "undo"} {
			t.Run(fmt.Sprintf("%s %s", w, job), func(t *testing.T) {
				use(t, w.calls(nothing))
				for call, more := 1, true; more; call++ {
					dir, before := lay(t)
					if job == "undo" {
						if err := errors.Join(applyAll(dir)...); err != nil {
							t.Fatal(err)
						}
					}
					more = killAt(t, job, dir, w, call)
					if !more && call < 10 {
						t.Fatalf("only %d calls", call-1)
					}
					if t.Run(fmt.Sprintf("call %d", call), func(t *testing.T) { expectBack(t, dir, before) }); t.Failed() {
						return
					}
				}
			})
		}
	}
}

// The same, where undo is killed once more as it goes on.
func TestUndoKilledTwice(t *testing.T) {
	if sweeptest.Cases(0, 0, 1) == 0 {
		t.Skip("takes a minute; -long does it")
	}
	for _, w := range ways {
		use(t, w.calls(nothing))
		for first, more := 1, true; more; first++ {
			for second, again := 1, true; again; second++ {
				dir, before := lay(t)
				if err := errors.Join(applyAll(dir)...); err != nil {
					t.Fatal(err)
				}
				more = killAt(t, "undo", dir, w, first)
				again = more && killAt(t, "undo", dir, w, second)
				expectBack(t, dir, before)
			}
		}
	}
}

// Calls that fail, one or all from one on, are told, and leave what can be undone.
func TestCallsFail(t *testing.T) {
	full := syscall.ENOSPC
	for _, w := range ways {
		for _, job := range []string{"apply", "undo"} {
			for _, all := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %v", w, job, all), func(t *testing.T) {
					for call, more := 1, true; more; call++ {
						use(t, w.calls(nothing))
						dir, whole := lay(t)
						if job == "undo" {
							if err := errors.Join(applyAll(dir)...); err != nil {
								t.Fatal(err)
							}
						}
						more = false
						use(t, w.calls(func(n int) error {
							if n == call || all && n > call {
								more = true
								return full
							}
							return nil
						}))
						var err error
						if job == "apply" {
							err = errors.Join(applyAll(dir)...)
						} else {
							err = undoAll(dir)
						}
						if more != errors.Is(err, full) {
							t.Fatalf("call %d fails %v: %v", call, more, err)
						}
						if more && IsLeft(err) {
							t.Fatalf("call %d fails: %v passes for a file that is not fit", call, err)
						}
						use(t, w.calls(nothing))
						if t.Run(fmt.Sprintf("call %d", call), func(t *testing.T) { expectBack(t, dir, whole) }); t.Failed() {
							return
						}
					}
				})
			}
		}
	}
}

// A journal that could be written in part only takes no more lines, and can be read.
func TestJournalCutOff(t *testing.T) {
	dir, whole := lay(t)
	j, err := Create(filepath.Join(dir, "journal"), "test")
	if err != nil {
		t.Fatal(err)
	}
	a := filepath.Join(dir, "photos", "a")
	use(t, func(call, path string) error {
		if call == "write" && path == j.Path {
			j.f.WriteString(`{"op":"mo`)
			return syscall.ENOSPC
		}
		return nil
	})
	to := filepath.Join(dir, "away", "a")
	if _, err := j.Move(a, to, sha256.Sum256([]byte("one"))); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	use(t, ways[0].calls(nothing))
	if _, err := j.Move(a, to, sha256.Sum256([]byte("one"))); !errors.Is(err, syscall.ENOSPC) || j.Err() == nil {
		t.Errorf("a step behind half a line: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	expectBack(t, dir, whole)
}

// What somebody has put in a file's place since a link was cut off is not lost.
func TestUndoLinkLeavesOthers(t *testing.T) {
	dir, _ := lay(t)
	c := filepath.Join(dir, "photos", "c")
	for call := 1; ; call++ { // until the new link has its name
		if !killAt(t, "apply", dir, "", call) {
			t.Fatal("the link is never there without its old file beside it")
		}
		aside, err := filepath.Glob(filepath.Join(dir, "photos", ".lookalike-*.tmp"))
		if err != nil {
			t.Fatal(err)
		}
		if len(aside) == 1 && os.SameFile(stat(t, c), stat(t, filepath.Join(dir, "photos", "keep"))) {
			break
		}
		dir, _ = lay(t)
		c = filepath.Join(dir, "photos", "c")
	}
	if err := os.Remove(c); err != nil {
		t.Fatal(err)
	}
	write(t, c, "theirs")
	if err := undoAll(dir); err == nil || !strings.Contains(err.Error(), "is another file now") {
		t.Error(err)
	}
	if data, err := os.ReadFile(c); string(data) != "theirs" {
		t.Errorf("%q, %v", data, err)
	}
}

// A journal is undone by one at a time.
func TestUndoBusy(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no locks here")
	}
	dir, _ := lay(t)
	j, err := Create(filepath.Join(dir, "journal"), "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := undoAll(dir); err == nil {
		t.Error("it is undone while it is being written")
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
