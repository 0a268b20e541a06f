package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lookalike/cmd/lookalike/internal/cli"
)

// mirror serves a file; while it is held, the first half only, and then it is
// silent.
type mirror struct {
	*httptest.Server
	data []byte
	sum  string
	held chan struct{} // closed to let go

	mu    sync.Mutex
	asked []string // the ranges
}

func (m *mirror) ranges() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

func newMirror(t *testing.T) *mirror {
	m := &mirror{data: make([]byte, 3<<20), held: make(chan struct{})}
	rand.NewChaCha8([32]byte{}).Read(m.data)
	m.sum = fmt.Sprintf("%x", sha256.Sum256(m.data))
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.CloseClientConnections)
	return m
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.asked = append(m.asked, r.Header.Get("Range"))
	m.mu.Unlock()
	w.Header().Set("ETag", `"1"`)
	half := &halfway{w, m, r, 0}
	http.ServeContent(half, r, "", time.Time{}, bytes.NewReader(m.data))
}

type halfway struct {
	http.ResponseWriter
	m *mirror
	r *http.Request
	n int
}

func (h *halfway) Write(p []byte) (int, error) {
	if h.n += len(p); h.n > len(h.m.data)/2 {
		http.NewResponseController(h.ResponseWriter).Flush()
		select {
		case <-h.m.held:
		case <-h.r.Context().Done():
		}
	}
	return h.ResponseWriter.Write(p)
}

// A download goes on where it was when it was interrupted, told to end or
// killed: by the command that it prints, or the same one again.
func TestWeightsFetchInterrupted(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			m := newMirror(t)
			path := filepath.Join(t.TempDir(), "my weights.h5")
			args := []string{"weights", "fetch", "vgg16", "--url", m.URL, "--allow-private", "--checksum", m.sum, "--output", path}
			cmd := exec.CommandContext(t.Context(), "lookalike", args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			var kept int64
			ended := startUntil(t, cmd, func() bool {
				info, err := os.Stat(path + ".part")
				if err == nil && info.Size() > 1<<20 {
					kept = info.Size()
				}
				return kept > 0
			})
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			<-ended
			if _, err := os.Stat(path); err == nil || kept == 0 {
				t.Fatalf("%d bytes came; the file is there: %v\n%s", kept, err == nil, &stderr)
			}
			close(m.held)

			if signal != syscall.SIGKILL {
				if code := cmd.ProcessState.ExitCode(); code != cli.StatusInterrupted {
					t.Errorf("exit status %d, want %d", code, cli.StatusInterrupted)
				}
				lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
				command, ok := strings.CutPrefix(lines[len(lines)-1], "  lookalike ")
				if !ok || !strings.Contains(stderr.String(), "stopped; the first 1.") {
					t.Fatalf("stderr is %q, want what there is and the command to go on", &stderr)
				}
				if out, err := exec.CommandContext(t.Context(), "sh", "-c", "lookalike "+command).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
			} else {
				printed(t, args...)
			}
			if !bytes.Equal(read(t, path), m.data) {
				t.Error("the file has other bytes than the mirror's")
			}
			from := int64(0)
			if ranges := m.ranges(); len(ranges) == 2 {
				fmt.Sscanf(ranges[1], "bytes=%d-", &from)
			}
			if from < kept {
				t.Errorf("%d bytes were there, but the requests were for %q", kept, m.ranges())
			}
			if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
				t.Errorf("%s left behind", left)
			}

			// With the file there, nothing is asked for, unless by force.
			if out := printed(t, args...); !strings.Contains(out, "there already, checksum right") || len(m.ranges()) != 2 {
				t.Errorf("it says %q after requests for %q", out, m.ranges())
			}
			if out := printed(t, append(args, "--force")...); !strings.Contains(out, "3.1 MB, checksum right") || len(m.ranges()) != 3 {
				t.Errorf("by force it says %q after requests for %q", out, m.ranges())
			}
		})
	}
}

// What was downloaded is found by its name; a file of other bytes is not kept.
func TestWeightsFetch(t *testing.T) {
	m := newMirror(t)
	close(m.held)
	cache := t.TempDir()
	t.Setenv("LOOKALIKE_CACHE", cache)
	printed(t, "weights", "fetch", "vgg19-notop", "--url", m.URL, "--allow-private", "--checksum", "sha256:"+m.sum, "--quiet")
	path := strings.TrimSpace(printed(t, "weights", "path", "vgg19-notop"))
	if !strings.HasPrefix(path, cache) || !bytes.Equal(read(t, path), m.data) {
		t.Errorf("%s has other bytes than the mirror's", path)
	}

	for _, c := range []struct{ checksum, want string }{
		{strings.Repeat("0", 64), "sent a wrong file: 3145728 bytes with the checksum sha256:" + m.sum},
		{"", "offers a file of 3145728 bytes; the right one has 553467096"},
	} {
		out := filepath.Join(t.TempDir(), "w.h5")
		args := []string{"weights", "fetch", "vgg16", "--url", m.URL, "--allow-private", "--output", out}
		if c.checksum != "" {
			args = append(args, "--checksum", c.checksum)
		}
		text, err := exec.CommandContext(t.Context(), "lookalike", args...).CombinedOutput()
		if err == nil || !strings.Contains(string(text), c.want) {
			t.Errorf("%v: it says %q, want %q", err, text, c.want)
		}
		if left, _ := filepath.Glob(out + "*"); len(left) > 0 {
			t.Errorf("%s left behind", left)
		}
	}
}
