package published

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lookalike/internal/web"
)

// content is a file of weights, other one of the same length.
var content, other = noise(1, 300_000), noise(2, 300_000)

func noise(seed byte, n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func sumOf(data []byte) Checksum {
	sum := md5.Sum(data)
	return Checksum{"md5", hex.EncodeToString(sum[:])}
}

// hurry does not wait between tries.
var hurry = patience{silence: time.Minute, tries: 4, wait: time.Millisecond, much: 50_000}

// anywhere asks every server, those of the tests too.
var anywhere = web.Transport(web.Any, nil)

// good serves data as files are served, with ranges and an ETag.
func good(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+sumOf(data).Hex+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// cut lets h send n bytes of its body and then breaks the connection.
func cut(n int, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { h(&cutter{w, n, nil}, r) }
}

// stall lets h send n bytes of its body and then nothing any more.
func stall(n int, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { h(&cutter{w, n, r.Context()}, r) }
}

type cutter struct {
	http.ResponseWriter
	left int
	hang context.Context
}

func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	c.left -= n
	if c.left == 0 {
		http.NewResponseController(c.ResponseWriter).Flush()
		if c.hang != nil {
			<-c.hang.Done()
		}
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// plain serves data without ranges, ETag or length.
func plain(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		w.Write(data)
	}
}

// raw answers with those bytes and closes the connection.
func raw(head string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n")
		conn.Write(body)
	}
}

func code(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// inTurn answers the first request with the first handler and so on, and all that
// follow with the last. It also tells the requests' ranges.
func inTurn(handlers ...http.HandlerFunc) (h http.HandlerFunc, ranges func() string) {
	var mu sync.Mutex
	var asked []string
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[min(len(asked), len(handlers)-1)]
		asked = append(asked, strings.TrimPrefix(r.Header.Get("Range"), "bytes="))
		mu.Unlock()
		h(w, r)
	}, func() string { mu.Lock(); defer mu.Unlock(); return strings.Join(asked, " ") }
}

// serve starts a server of handlers in turn. It returns the address and the
// requests' ranges.
func serve(t *testing.T, handlers ...http.HandlerFunc) (address string, ranges func() string) {
	h, asked := inTurn(handlers...)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/w.h5", func() string { s.Close(); return asked() }
}

func watch(t *testing.T) Watch {
	return Watch{Bytes: func(int64, int64) {}, Note: func(text string) { t.Log("note:", text) }}
}

// holds fails unless the folder of path has exactly these files. A nil content
// stands for a file that is not there.
func holds(t *testing.T, path string, file, part []byte) {
	t.Helper()
	for name, want := range map[string][]byte{path: file, path + ".part": part} {
		got, err := os.ReadFile(name)
		switch {
		case want == nil && !errors.Is(err, os.ErrNotExist):
			t.Errorf("%s is there, %d bytes, %v", name, len(got), err)
		case want != nil && err != nil:
			t.Error(err)
		case want != nil && !bytes.Equal(got, want):
			t.Errorf("%s has %d bytes, want %d and those", name, len(got), len(want))
		}
	}
	if part == nil {
		if _, err := os.Stat(path + ".part.state"); err == nil {
			t.Error("the state of a part is left over without it")
		}
	}
}

func TestDownload(t *testing.T) {
	const n = 300_000
	length := fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d", n)
	for _, c := range []struct {
		name     string
		handlers []http.HandlerFunc
		ranges   string
		unsized  string // ranges where the size is not known before, if other; "-" not to be tried
	}{
		{"at once", []http.HandlerFunc{good(content)}, "", ""},
		{"without a length", []http.HandlerFunc{plain(content)}, "", ""},
		{"broken off", []http.HandlerFunc{cut(100_000, good(content)), good(content)}, " 100000-", ""},
		{"broken off, without a length", []http.HandlerFunc{cut(100_000, plain(content)), good(content)}, " 100000-", ""},
		{"broken off before a byte", []http.HandlerFunc{cut(0, good(content)), good(content)}, " ", ""},
		{"broken off often", []http.HandlerFunc{cut(60_000, good(content))}, " 60000- 120000- 180000- 240000-", ""},
		{"promising more than sent", []http.HandlerFunc{raw(length, content[:5]), raw("HTTP/1.1 206 X\nContent-Range: bytes 5-299999/300000\nContent-Length: 299995", content[5:9]), good(content)}, " 5- 9-", ""},
		{"sending more than promised", []http.HandlerFunc{raw(length, append(bytes.Clone(content), "and more"...))}, "", ""},
		{"never ending", []http.HandlerFunc{plain(bytes.Join([][]byte{content, content}, nil))}, "", "-"},
		{"until the end of the connection", []http.HandlerFunc{raw("HTTP/1.0 200 OK", content)}, "", ""},
		{"never in the middle", []http.HandlerFunc{cut(100_000, good(content)), raw(length, content)}, " 100000-", ""},
		{"another file meanwhile", []http.HandlerFunc{cut(100_000, good(other)), good(content)}, " 100000-", ""},
		{"another file meanwhile, said late", []http.HandlerFunc{cut(100_000, good(other)), raw("HTTP/1.1 206 X\nETag: \"new\"\nContent-Range: bytes 100000-299999/300000", content[100_000:]), good(content)}, " 100000- ", ""},
		{"pieces of different files", []http.HandlerFunc{cut(100_000, plain(other)), raw("HTTP/1.1 206 X\nContent-Range: bytes 100000-299999/300000", content[100_000:]), good(content)}, " 100000- ", "-"},
		{"another piece", []http.HandlerFunc{cut(100_000, good(content)), raw("HTTP/1.1 206 X\nContent-Range: bytes 0-299999/300000", content), good(content)}, " 100000- ", ""},
		{"no piece", []http.HandlerFunc{cut(100_000, good(content)), raw("HTTP/1.1 206 X\nContent-Range: nonsense", nil), good(content)}, " 100000- ", ""},
		{"small pieces", []http.HandlerFunc{cut(100_000, good(content)), raw("HTTP/1.1 206 X\nContent-Range: bytes 100000-100009/300000\nContent-Length: 10", content[100_000:100_010]), good(content)}, " 100000- 100010-", ""},
		{"416", []http.HandlerFunc{cut(100_000, good(content)), code(416), good(content)}, " 100000- ", ""},
		{"500, then 200", []http.HandlerFunc{code(500), code(503, "Retry-After", "0"), code(429), good(content)}, "   ", ""},
		{"redirected", []http.HandlerFunc{code(302, "Location", "/elsewhere"), cut(100_000, good(content)), code(301, "Location", "/elsewhere"), good(content)}, "  100000- 100000-", ""},
	} {
		for _, size := range []int64{n, 0} {
			if size == 0 && c.unsized == "-" {
				continue
			}
			t.Run(fmt.Sprint(c.name, ", size ", size), func(t *testing.T) {
				t.Parallel()
				address, ranges := serve(t, c.handlers...)
				path := filepath.Join(t.TempDir(), "new", "w.h5")
				var done, total int64
				w := watch(t)
				w.Bytes = func(d, t int64) { done, total = d, t }
				if err := hurry.download(t.Context(), path, File{URL: address, Checksum: sumOf(content), Size: size}, anywhere, w); err != nil {
					t.Fatal(err)
				}
				holds(t, path, content, nil)
				if got := ranges(); got != c.ranges {
					t.Errorf("asked for %q, want %q", got, c.ranges)
				}
				if done != n || total != n && total != 0 || total != size && size > 0 {
					t.Errorf("told of %d of %d bytes", done, total)
				}
			})
		}
	}
}

func TestDownloadFails(t *testing.T) {
	for _, c := range []struct {
		name     string
		handlers []http.HandlerFunc
		size     int64
		requests int
		part     []byte
		want     string
	}{
		{"wrong bytes", []http.HandlerFunc{good(other)}, 300_000, 1, nil, "sent a wrong file: 300000 bytes with the checksum md5:" + sumOf(other).Hex + ", not md5:" + sumOf(content).Hex + "; they are deleted"},
		{"wrong bytes in pieces", []http.HandlerFunc{cut(200_000, good(other))}, 300_000, 4, nil, "sent a wrong file"},
		{"too short", []http.HandlerFunc{good(content[:100])}, 300_000, 1, nil, "offers a file of 100 bytes; the right one has 300000"},
		{"too short, size not known", []http.HandlerFunc{good(content[:100])}, 0, 1, nil, "sent a wrong file: 100 bytes"},
		{"too short, not saying so", []http.HandlerFunc{plain(content[:100])}, 300_000, 4, nil, ""},
		{"too long", []http.HandlerFunc{code(200, "Content-Length", "300001")}, 300_000, 1, nil, "offers a file of 300001 bytes"},
		{"far too long", []http.HandlerFunc{code(200, "Content-Length", "99999999999999")}, 0, 1, nil, "at most 4294967296 are taken"},
		{"empty", []http.HandlerFunc{good(nil)}, 0, 1, nil, "sent a wrong file: 0 bytes"},
		{"404", []http.HandlerFunc{code(404)}, 300_000, 1, nil, "answers 404 Not Found"},
		{"403 in the middle", []http.HandlerFunc{cut(100_000, good(content)), code(403)}, 300_000, 2, content[:100_000], "answers 403 Forbidden; 0.1 MB of it kept in"},
		{"204", []http.HandlerFunc{code(204)}, 300_000, 1, nil, "answers 204"},
		{"206 without being asked", []http.HandlerFunc{code(206, "Content-Range", "bytes 0-9/10")}, 0, 1, nil, "answers 206"},
		{"502 for ever", []http.HandlerFunc{code(502)}, 300_000, 4, nil, "answers 502 Bad Gateway; given up after 4 tries"},
		{"always 416", []http.HandlerFunc{cut(100_000, good(content)), code(416)}, 300_000, 3, nil, "answers 416"},
		{"broken off for ever", []http.HandlerFunc{cut(10, good(content))}, 300_000, 4, content[:40], "given up after 4 tries"},
		{"never in the middle, broken off for ever", []http.HandlerFunc{cut(150_000, plain(content)), cut(90_000, plain(content)), cut(150_000, plain(content)), cut(90_000, plain(content)), good(other)}, 300_000, 4, content[:90_000], "given up after 4 tries"},
		{"redirected in a circle", []http.HandlerFunc{code(302, "Location", "/w.h5")}, 300_000, 6, nil, "more than 5 redirections"},
		{"redirected to a file", []http.HandlerFunc{code(302, "Location", "file:///etc/passwd")}, 300_000, 1, nil, "no web address"},
		{"redirected to nowhere", []http.HandlerFunc{code(302)}, 300_000, 1, nil, "answers 302 Found"},
		{"compressed", []http.HandlerFunc{code(200, "Content-Encoding", "gzip")}, 300_000, 1, nil, `coding that was not asked for, "gzip"`},
		{"no HTTP", []http.HandlerFunc{raw("SSH-2.0-OpenSSH", nil)}, 300_000, 4, nil, "malformed HTTP"},
		{"an endless head", []http.HandlerFunc{raw("HTTP/1.1 200 OK\nX: "+strings.Repeat("x", 1<<20), nil)}, 300_000, 4, nil, "server response headers exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address, ranges := serve(t, c.handlers...)
			path := filepath.Join(t.TempDir(), "w.h5")
			before := []byte("what was there before")
			if err := os.WriteFile(path, before, 0o644); err != nil {
				t.Fatal(err)
			}
			err := hurry.download(t.Context(), path, File{URL: address, Checksum: sumOf(content), Size: c.size}, anywhere, watch(t))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), address) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if asked := ranges(); strings.Count(asked, " ")+1 != c.requests {
				t.Errorf("asked for %q, want %d requests", asked, c.requests)
			}
			if c.want != "" {
				holds(t, path, before, c.part)
			}
		})
	}
}

// silent says nothing.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// A server that falls silent is asked again, and given up in the end. Server and
// client live in a bubble whose clock moves only while both wait, so that a slow
// machine is not taken for a silent server.
func TestDownloadSilent(t *testing.T) {
	for _, c := range []struct {
		name     string
		handlers []http.HandlerFunc
		ranges   string
		part     []byte
		want     string
	}{
		{"in the middle", []http.HandlerFunc{stall(100_000, good(content)), good(content)}, " 100000-", nil, ""},
		{"at once", []http.HandlerFunc{silent, good(content)}, " ", nil, ""},
		{"for ever", []http.HandlerFunc{stall(10, plain(content)), silent}, " 10- 10- 10-", content[:10], "not a byte for 1m0s; given up after 4 tries"},
	} {
		for _, size := range []int64{300_000, 0} {
			t.Run(fmt.Sprint(c.name, ", size ", size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h, ranges := inTurn(c.handlers...)
					pipes := make(listener)
					server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
					go server.Serve(pipes)
					transport := &http.Transport{DialContext: pipes.dial, DisableKeepAlives: true}

					path := filepath.Join(t.TempDir(), "w.h5")
					start := time.Now()
					err := hurry.download(t.Context(), path, File{URL: "http://localhost/w.h5", Checksum: sumOf(content), Size: size}, transport, watch(t))
					took := time.Since(start).Truncate(time.Minute)
					server.Close()
					if c.want == "" {
						if err != nil || took != time.Minute {
							t.Errorf("%v after %v", err, took)
						}
						holds(t, path, content, nil)
					} else {
						if err == nil || !strings.Contains(err.Error(), c.want) || took != 4*time.Minute {
							t.Errorf("error %v after %v, want %q", err, took, c.want)
						}
						holds(t, path, nil, c.part)
					}
					if got := ranges(); got != c.ranges {
						t.Errorf("asked for %q, want %q", got, c.ranges)
					}
				})
			})
		}
	}
}

// listener accepts connections that stay in the process.
type listener chan net.Conn

func (l listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l listener) Accept() (net.Conn, error) {
	conn, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l listener) Close() error   { close(l); return nil }
func (l listener) Addr() net.Addr { return &net.TCPAddr{} }

// What another process left is used only if it is of the same file.
func TestDownloadGoesOn(t *testing.T) {
	tag := `"` + sumOf(content).Hex + `"`
	for _, c := range []struct {
		name, state string
		part        []byte
		size        int64
		ranges      string
	}{
		{"with its state", tag, content[:1000], 300_000, "1000-"},
		{"with another state", `"x"`, other[:1000], 300_000, "1000-"},
		{"without a state", "", content[:1000], 300_000, "1000-"},
		{"with a broken state", "a\r\nb: c", content[:1000], 300_000, "1000-"},
		{"whole", tag, content, 300_000, "none"},
		{"whole, size not known", tag, content, 0, "300000-"},
		{"of another file", "", other[:1000], 300_000, "1000- "},
		{"all of another file", "", other, 300_000, ""},
		{"too long", tag, append(bytes.Clone(content), 0), 300_000, ""},
		{"too long, size not known", tag, append(bytes.Clone(content), 0), 0, "300001- "},
		{"empty", tag, nil, 300_000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, ranges := serve(t, good(content))
			path := filepath.Join(t.TempDir(), "w.h5")
			for name, data := range map[string][]byte{".part": c.part, ".part.state": []byte(c.state)} {
				if err := os.WriteFile(path+name, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if c.ranges == "none" {
				address = "http://localhost:1/"
			}
			if err := hurry.download(t.Context(), path, File{URL: address, Checksum: sumOf(content), Size: c.size}, anywhere, watch(t)); err != nil {
				t.Fatal(err)
			}
			holds(t, path, content, nil)
			if got := ranges(); c.ranges != "none" && got != c.ranges {
				t.Errorf("asked for %q, want %q", got, c.ranges)
			}
		})
	}
}

func TestDownloadStops(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"while bytes come", stall(100_000, good(content))},
		{"while waiting for another try", cut(100_000, good(content))},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, _ := serve(t, c.handler)
			path := filepath.Join(t.TempDir(), "w.h5")
			ctx, cancel := context.WithCancel(t.Context())
			w := watch(t)
			w.Bytes = func(done, _ int64) {
				if done == 100_000 {
					time.AfterFunc(20*time.Millisecond, cancel)
				}
			}
			patient := patience{silence: time.Minute, tries: 5, wait: time.Minute, much: 1}
			start := time.Now()
			err := patient.download(ctx, path, File{URL: address, Checksum: sumOf(content), Size: 300_000}, anywhere, w)
			if !errors.Is(err, context.Canceled) || time.Since(start) > 20*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			holds(t, path, nil, content[:100_000])

			address, ranges := serve(t, good(content))
			if err := hurry.download(t.Context(), path, File{URL: address, Checksum: sumOf(content), Size: 300_000}, anywhere, watch(t)); err != nil {
				t.Fatal(err)
			}
			holds(t, path, content, nil)
			if got := ranges(); got != "100000-" {
				t.Errorf("asked for %q", got)
			}
		})
	}
}

// Two downloads of one file at a time would spoil each other.
func TestDownloadAlone(t *testing.T) {
	address, _ := serve(t, cut(100_000, good(content)), good(content))
	path := filepath.Join(t.TempDir(), "w.h5")
	f := File{URL: address, Checksum: sumOf(content), Size: 300_000}
	var second error
	var asked atomic.Bool
	w := watch(t)
	w.Bytes = func(done, _ int64) {
		if done > 0 && !asked.Swap(true) {
			second = hurry.download(t.Context(), path, f, anywhere, watch(t))
		}
	}
	if err := hurry.download(t.Context(), path, f, anywhere, w); err != nil {
		t.Fatal(err)
	}
	if second == nil || !strings.Contains(second.Error(), path+" is being downloaded already") {
		t.Errorf("the second download says %v", second)
	}
	holds(t, path, content, nil)
}

// A link stays, also to what is not there yet, and permissions that a file has.
func TestDownloadKeeps(t *testing.T) {
	address, _ := serve(t, good(content), good(content))
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "w.h5")
	if err := os.Symlink("w.h5", link); err != nil {
		t.Skip("no symbolic links:", err)
	}
	f := File{URL: address, Checksum: sumOf(content), Size: 300_000}
	for i := range 2 {
		if err := hurry.download(t.Context(), link, f, anywhere, watch(t)); err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(link); to != "w.h5" {
			t.Fatalf("the link leads to %q, %v", to, err)
		}
		holds(t, target, content, nil)
		if info, err := os.Stat(target); err != nil || i == 1 && runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("permissions %v, %v", info.Mode(), err)
		}
		if err := os.Chmod(target, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDownloadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.h5")
	for address, want := range map[string]string{
		"":                       "only http:// and https:// addresses",
		"w.h5":                   "only http:// and https:// addresses",
		"file:///etc/passwd":     "only http:// and https:// addresses",
		"ftp://a:secret@host/w":  "ftp://host/w: only http",
		"http://":                "names no server",
		"http://[::1/":           "missing ']'",
		"http://a:sec ret@[::1]": "http://[::1]: this is not a valid address",
		"http://secret:/@x%zz/":  "http://x%zz/: this is not a valid address",
		"http://localhost:1/w":   "http://localhost:1/w: dial tcp",
		"http://a:secret@[::]:1": "http://[::]:1: dial tcp",
	} {
		err := hurry.download(t.Context(), path, File{URL: address, Checksum: sumOf(content)}, anywhere, watch(t))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: error %v, want %q", address, err, want)
		}
		holds(t, path, nil, nil)
	}

	address, ranges := serve(t, good(content))
	f := File{URL: address, Checksum: sumOf(content)}
	if err := hurry.download(t.Context(), dir, f, anywhere, watch(t)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder in its place: %v", err)
	}
	if err := os.Mkdir(path+".part", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := hurry.download(t.Context(), path, f, anywhere, watch(t)); err == nil || !strings.Contains(err.Error(), "w.h5.part") {
		t.Errorf("a folder in the part's place: %v", err)
	}
	if got := ranges(); got != "" {
		t.Errorf("asked for %q", got)
	}
}

// A certificate that is not trusted will not be at the next try either.
func TestDownloadCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(good(content))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	var notes int
	w := Watch{Bytes: func(int64, int64) {}, Note: func(string) { notes++ }}
	err := hurry.download(t.Context(), filepath.Join(t.TempDir(), "w.h5"), File{URL: s.URL, Checksum: sumOf(content)}, anywhere, w)
	if err == nil || !strings.Contains(err.Error(), "certificate") || notes > 0 {
		t.Errorf("error %v after %d notes", err, notes)
	}
}

func TestFollow(t *testing.T) {
	request := func(address string) *http.Request {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{URL: u}
	}
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"https://a/", "https://b/", true}, {"http://a/", "https://b/", true}, {"http://a/", "http://b/", true},
		{"https://a/", "http://a/", false}, {"https://a/", "gopher://a/", false},
	} {
		if err := follow(request(c.to), []*http.Request{request(c.from)}); (err == nil) != c.ok {
			t.Errorf("%s to %s: %v", c.from, c.to, err)
		}
	}
}

func TestContentRange(t *testing.T) {
	for header, want := range map[string][3]int64{
		"bytes 0-9/10": {0, 10, 1}, "bytes 5-9/*": {5, 0, 1}, "bytes 5-5/6": {5, 6, 1}, "bytes */10": {0, 10, 0},
		"": {}, "bytes": {}, "bytes 5-9": {5, 0, 0}, "bytes 5-9/9": {5, 9, 0}, "bytes 9-5/10": {9, 10, 0},
		"lines 0-9/10": {0, 10, 0}, "bytes -5-9/10": {0, 10, 0}, "bytes 5-9/-1": {5, 0, 0},
		"bytes 99999999999999999999-5/6": {1<<63 - 1, 6, 0},
	} {
		from, total, ok := contentRange(header)
		if ok != (want[2] == 1) || total != want[1] || ok && from != want[0] {
			t.Errorf("%q is read as from %d of %d, %v", header, from, total, ok)
		}
	}
}

func TestChecksumOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	long := sha256.Sum256(content)
	for _, want := range []Checksum{sumOf(content), {"sha256", hex.EncodeToString(long[:])}} {
		if got, err := want.Of(t.Context(), path); err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sumOf(nil).Of(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// A redirection to a private address is not followed, however many tries there are,
// and neither it nor one to nonsense shows the password in it.
func TestRedirectedToPrivate(t *testing.T) {
	inner := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the private server was asked")
	}))
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("no second address of this machine:", err)
	}
	inner.Listener.Close()
	inner.Listener = l
	inner.Start()
	defer inner.Close()
	allow := func(a netip.Addr) error { // as if the first server were public
		if a == netip.MustParseAddr("127.0.0.1") {
			return nil
		}
		return web.Public(a)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for to, want := range map[string]string{
		inner.URL:                           "127.0.0.2 is a private",
		"http://a:secret@127.0.0.2:" + port: "127.0.0.2 is a private",
		"http://169.254.169.254/latest":     "169.254.169.254 is a private",
		"http://a:secret@[::1/":             "not a valid address",
		"ftp://a:secret@x/":                 "a redirection to ftp://x/, which is no web address",
	} {
		asked := 0
		address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			code(http.StatusFound, "Location", to)(w, r)
		})
		path := filepath.Join(t.TempDir(), "w.h5")
		err := hurry.download(t.Context(), path, File{URL: address, Checksum: sumOf(content)}, web.Transport(allow, nil), watch(t))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("to %s: error %v, want %q", to, err, want)
		}
		if _, private := errors.AsType[*web.PrivateError](err); private && asked != 1 {
			t.Errorf("to %s: asked %d times", to, asked)
		}
		holds(t, path, nil, nil)
	}
	// The first server itself is refused as well.
	address, _ := serve(t, good(content))
	path := filepath.Join(t.TempDir(), "w.h5")
	if err := Download(t.Context(), path, File{URL: address, Checksum: sumOf(content)}, web.Public, watch(t)); !strings.Contains(fmt.Sprint(err), "is a private") {
		t.Errorf("from %s: %v", address, err)
	}
}
