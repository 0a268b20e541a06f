//go:build !js && !wasip1

package worker

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lookalike/internal/sweeptest"
)

var (
	spun  atomic.Int64
	eaten [][]byte
)

// tried is a decoder that does what its files say.
type tried struct{}

func (tried) Decode(file []byte, w, h int) ([]byte, error) {
	switch command, _, _ := strings.Cut(string(file), " "); command {
	case "loop":
		for n := 0; ; n++ { // until it is killed
			spun.Store(int64(n))
		}
	case "eat":
		for {
			b := make([]byte, 64<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			eaten = append(eaten, b)
		}
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(3)
	case "short":
		return make([]byte, 3), nil
	case "refuse":
		return nil, errors.New("refused")
	}
	return bytes.Repeat(file[:1], 4*w*h), nil
}

func (tried) Close() {}

func TestMain(m *testing.M) {
	Main(map[string]Decoder{"tried": func(int64) (Instance, error) { return tried{}, nil }})
	if os.Getenv("WORKER_TEST_PARENT") != "" {
		parent()
	}
	os.Exit(m.Run())
}

// parent has a decoder loop, and tells the decoder's process.
func parent() {
	p, err := start()
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.Itoa(p.command.Process.Pid) + "\n")
	p.do(Job{Decoder: "tried", Memory: 1 << 20, Parts: []Part{{[]byte("loop"), 1, 1}}}, nil)
	os.Exit(0)
}

func decode(file string, w, h int) (string, error) {
	var got string
	err := Do(Job{Decoder: "tried", Memory: 1 << 20, Parts: []Part{{[]byte(file), w, h}}}, func(_ int, pixels []byte) error {
		got = string(pixels)
		return nil
	})
	return got, err
}

// What a decoder does is told, and the next picture is decoded.
func TestFailures(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"panic", "as asked"}, {"exit", "exit status 3"}, {"short", "3 bytes for 2 x 2 pixels"}, {"refuse", "refused"},
	} {
		if _, err := decode(c.file, 2, 2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.file, err)
		}
		if got, err := decode("ab", 2, 3); err != nil || got != strings.Repeat("a", 24) {
			t.Errorf("after %s: %q, %v", c.file, got, err)
		}
	}
	err := Do(Job{Decoder: "none", Parts: []Part{{[]byte("a"), 1, 1}}}, nil)
	if err == nil || !strings.Contains(err.Error(), "no such decoder") {
		t.Errorf("error %v", err)
	}
}

// Who has had enough of the parts gets his error.
func TestUseFails(t *testing.T) {
	enough := errors.New("enough")
	parts := []Part{{[]byte("a"), 1, 1}, {[]byte("b"), 1, 1}}
	if err := Do(Job{Decoder: "tried", Parts: parts}, func(int, []byte) error { return enough }); err != enough {
		t.Errorf("error %v", err)
	}
	if _, err := decode("a", 1, 1); err != nil {
		t.Error(err)
	}
}

// A decoder that never ends is ended by the system when its time is over.
func TestTime(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" && runtime.GOOS != "freebsd" {
		t.Skip("the system has no limit of processor time")
	}
	err := Do(Job{Decoder: "tried", Memory: 1 << 20, Parts: []Part{{[]byte("loop"), 1, 1}}, time: time.Millisecond}, nil)
	if err == nil || !strings.Contains(err.Error(), "of processor time") {
		t.Errorf("error %v", err)
	}
}

// A decoder that takes more and more memory is ended.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system has no limit of addresses")
	}
	if sweeptest.Racing {
		t.Skip("the race detector's own memory is beyond the limit of addresses")
	}
	if _, err := decode("eat", 1, 1); err == nil || !strings.Contains(err.Error(), "MB of memory") {
		t.Errorf("error %v", err)
	}
}

func TestAtOnce(t *testing.T) {
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			letter := string(rune('A' + i))
			if got, err := decode(letter, 5, i+1); err != nil || got != strings.Repeat(letter, 20*(i+1)) {
				t.Errorf("%d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	wait.Wait()
	processes.freed.L.Lock()
	defer processes.freed.L.Unlock()
	if n := len(processes.idle); n > runtime.GOMAXPROCS(0) || processes.busy != 0 {
		t.Errorf("%d processes wait, %d are busy", n, processes.busy)
	}
}

// A process ends with the program that has started it, also if that is killed, and while
// it decodes.
func TestParentKilled(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "WORKER_TEST_PARENT=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	c.Process.Kill()
	c.Wait()
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	for alive(pid) {
		time.Sleep(10 * time.Millisecond) // until it has ended; the test's own limit ends it otherwise
	}
}

func TestNotReady(t *testing.T) {
	ready.Lock()
	ready.missing = errNotReady
	ready.Unlock()
	defer func() {
		ready.Lock()
		ready.missing = nil
		ready.Unlock()
	}()
	if _, err := decode("a", 1, 1); err == nil || !strings.Contains(err.Error(), "call Main of package picture/heif first") {
		t.Errorf("error %v", err)
	}
}

// BenchmarkRoundTrip is what a process costs besides decoding: a file goes there, and
// pixels come back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []struct{ w, h int }{{300, 200}, {4000, 3000}} {
		b.Run(strconv.Itoa(size.w*size.h/1000)+"kpx", func(b *testing.B) {
			for b.Loop() {
				if _, err := decode("a", size.w, size.h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStart is the first picture, for which a process is started.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p, err := start()
		if err != nil {
			b.Fatal(err)
		}
		p.do(Job{Decoder: "tried", Parts: []Part{{[]byte("a"), 1, 1}}}, func(int, []byte) error { return nil })
		p.end()
	}
}
