package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"lookalike/internal/sweeptest"
)

const holdVariable = "LOOKALIKE_TEST_HOLD"

// TestMain is also the process that holds an output and half of its bytes until it
// is killed.
func TestMain(m *testing.M) {
	path := os.Getenv(holdVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	err := Write(path, func(w io.Writer) error {
		w.Write(make([]byte, 1<<20))
		fmt.Println("held")
		_, err := io.Copy(io.Discard, os.Stdin) // for ever
		return err
	})
	fmt.Println(err)
	os.Exit(1)
}

// hold starts a process that is writing path, and returns what kills it.
func hold(t *testing.T, path string) (kill func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), holdVariable+"="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
		stdin.Close()
	})
	t.Cleanup(kill)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("it said %q, %v", line, err)
	}
	return kill
}

// needsLocks skips where the file system of temporary folders has no locks.
func needsLocks(t *testing.T) {
	t.Helper()
	o, err := Reserve(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if o.lock == nil {
		t.Skip("no locks here")
	}
}

// While one process writes a file another one cannot; once it is dead the next one
// can, and what it has left in the folder goes.
func TestOneProcessWrites(t *testing.T) {
	needsLocks(t)
	dir := t.TempDir()
	path, other := filepath.Join(dir, "a.txt"), filepath.Join(dir, "b.txt")
	kill := hold(t, path)
	if err := Write(path, text("ours")); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), path) {
		t.Errorf("the file of a living process: %v", err)
	}
	if err := Create(path, text("ours")); !errors.Is(err, ErrBusy) {
		t.Errorf("the file of a living process: %v", err)
	}
	swept.Clear()
	if err := Write(other, text("other")); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, prefix+"*")); len(left) != 2 {
		t.Errorf("of the living process are there %q", left)
	}
	kill()
	swept.Clear()
	if err := Write(other, text("other")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, map[string]string{"b.txt": "other"})
	kill = hold(t, path)
	kill()
	if err := Write(path, text("ours")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, map[string]string{"a.txt": "ours", "b.txt": "other"})
}

// What a reservation of this process does not hinder are its own writes.
func TestReserve(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	o, err := Reserve(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Reserve(path); !errors.Is(err, ErrBusy) {
		t.Errorf("reserved twice: %v", err)
	}
	for _, content := range []string{"first", "second"} {
		if err := Write(path, text(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(path, func(io.Writer) error { return Write(path, text("within")) }); !errors.Is(err, ErrBusy) {
		t.Errorf("written while it is being written: %v", err)
	}
	o.Close()
	o.Close()
	o, err = Reserve(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Close()
	expect(t, dir, map[string]string{"a.txt": "second"})
}

// Create leaves what exists, and what appears meanwhile.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	err := Create(path, func(w io.Writer) error {
		io.WriteString(w, "ours")
		return os.WriteFile(path, []byte("theirs"), 0o644)
	})
	if !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that appeared: %v", err)
	}
	expect(t, dir, map[string]string{"a.txt": "theirs"})
	if err := Create(path, func(io.Writer) error { t.Error("it was begun"); return nil }); !errors.Is(err, os.ErrExist) {
		t.Errorf("a file that was there: %v", err)
	}
	if err := errors.Join(os.Remove(path), Create(path, text("ours"))); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, map[string]string{"a.txt": "ours"})
}

// What is to be checked has no name until it is.
func TestCreateChecked(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	wrong := errors.New("wrong")
	err := CreateChecked(path, text("ours"), func(temporary string) error {
		if got, err := os.ReadFile(temporary); string(got) != "ours" || err != nil {
			t.Errorf("to be checked are %q, %v", got, err)
		}
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Error(err)
	}
	expect(t, dir, nil)
}

// Files whose names only begin like those of leftovers stay.
func TestSweepLeavesOthers(t *testing.T) {
	needsLocks(t)
	dir := t.TempDir()
	want := map[string]string{}
	for _, name := range []string{".lookalike-0123456789abcdef.tmp", ".lookalike-0123456789abcdef.tmp.new", ".lookalike-notes.new", ".lookalike-.lock"} {
		want[name] = "theirs"
		if err := os.WriteFile(filepath.Join(dir, name), []byte("theirs"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".lookalike-0123456789abcdef.new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	Sweep(dir)
	expect(t, dir, want)
}

// Of many that create a file of one name at once, one does, and its content stays.
func TestCreateRace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	for range sweeptest.Cases(50, 200, 2_000) {
		var winners []string
		var mu sync.Mutex
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				content := fmt.Sprint(i)
				// Half of them without the lock, as an older program, or another machine.
				var err error
				if i%2 == 0 {
					err = Create(path, text(content))
				} else {
					temporary := filepath.Join(dir, "t"+content)
					if err = os.WriteFile(temporary, []byte(content), 0o644); err == nil {
						err = RenameNew(temporary, path)
					}
					os.Remove(temporary)
				}
				switch {
				case err == nil:
					mu.Lock()
					winners = append(winners, content)
					mu.Unlock()
				case !errors.Is(err, os.ErrExist) && !errors.Is(err, ErrBusy):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if len(winners) != 1 {
			t.Fatalf("%q have created the file", winners)
		}
		expect(t, dir, map[string]string{"a.txt": winners[0]})
		os.Remove(path)
	}
}

// renameHeld is what RenameNew does where the system has no way in one step.
func TestRenameHeld(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a.txt"), filepath.Join(dir, "b.txt")
	for _, want := range []error{nil, os.ErrExist} {
		if err := os.WriteFile(from, []byte("a"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := renameHeld(from, to); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	os.Remove(to)
	if err := renameHeld(filepath.Join(dir, "missing"), to); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	expect(t, dir, map[string]string{"a.txt": "a"})
}

// Where there are hard links, no empty file holds a name.
func TestRenameLinked(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a.txt"), filepath.Join(dir, "b.txt")
	for _, want := range []error{nil, os.ErrExist} {
		if err := os.WriteFile(from, []byte("a"), 0o644); err != nil {
			t.Fatal(err)
		}
		was, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := renameLinked(from, to); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if now, err := os.Stat(to); err != nil || os.SameFile(was, now) != (want == nil) {
			t.Errorf("%s is another file, %v", to, err)
		}
	}
	os.Remove(to)
	if err := renameLinked(filepath.Join(dir, "missing"), to); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	expect(t, dir, map[string]string{"a.txt": "a"})
}

// A lock whose owner removes it at that moment is not taken for one that holds.
func TestLockRace(t *testing.T) {
	needsLocks(t)
	path := filepath.Join(t.TempDir(), "lock")
	var inside sync.Mutex
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 200 {
				l, err := lock(path, 0)
				if errors.Is(err, ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !inside.TryLock() {
					t.Error("two hold the lock")
				} else {
					inside.Unlock()
				}
				unlock(l)
			}
		})
	}
	wait.Wait()
}

// Another file of the folder takes the output's name too, with the permissions of
// what it replaces, but not if it is to be new.
func TestByAnotherFile(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "a.txt"), filepath.Join(dir, "a.txt.new")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err := Reserve(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.PublishFile(other); !errors.Is(err, fs.ErrExist) {
		t.Errorf("published where something is: %v", err)
	}
	if err := o.ReplaceBy(other); err != nil {
		t.Fatal(err)
	}
	o.Close()
	expect(t, dir, map[string]string{"a.txt": "new"})
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
}
