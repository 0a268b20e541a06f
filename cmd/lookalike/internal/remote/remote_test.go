package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lookalike/internal/web"
)

const png = "\x89PNG\r\n\x1a\nrest"

func server(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	answer := func(path, kind, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		})
	}
	answer("/a.png", "image/png", png)
	answer("/lies", "text/html", png)
	answer("/page", "image/jpeg", "\n <!DOCTYPE HTML><html>")
	answer("/xhtml", "text/html; charset=utf-8", "hello")
	answer("/json", "application/json", `{"error":1}`)
	answer("/empty", "image/png", "")
	mux.HandleFunc("/hop/", func(w http.ResponseWriter, r *http.Request) {
		n := len(strings.TrimPrefix(r.URL.Path, "/hop/"))
		if n == 0 {
			http.Redirect(w, r, "/a.png", http.StatusFound)
			return
		}
		http.Redirect(w, r, "/hop/"+strings.Repeat("x", n-1), http.StatusFound)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("u"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, png)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			w.Write(make([]byte, 1000))
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, png)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestGet(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // not used
	s := server(t)
	o := Options{AllowPrivate: true, MaxBytes: 50}
	for path, want := range map[string]string{
		"/a.png": "", "/lies": "", "/hop/": "", "/hop/xxxx": "", "/hop/xxxxx": "redirects",
		"/page": "a page, not a picture", "/xhtml": "a page, not a picture", "/json": `text, not a picture (it begins with "{\"error`,
		"/empty": "empty", "/absent": "404", "/short": "bytes; the limit is 50", "/endless": "more than 50 bytes", "/slow": "within 300ms",
		"/to?u=ftp://x/": "only http", "/to?u=file:///etc/passwd": "only http", "/to?u=http:///x": "no server",
	} {
		o.Timeout = 0
		if path == "/slow" {
			o.Timeout = 300 * time.Millisecond
		}
		data, err := Get(t.Context(), s.URL+path, o)
		if want == "" {
			if err != nil || string(data) != png {
				t.Errorf("%s: %q, %v", path, data, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.URL+path) {
			t.Errorf("%s: error %v does not say %q", path, err, want)
		}
	}
	o.MaxBytes, o.Timeout = 1000, 0
	if _, err := Get(t.Context(), s.URL+"/short", o); err == nil || !strings.Contains(err.Error(), "ended its answer early") {
		t.Errorf("cut answer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Get(ctx, s.URL+"/a.png", o); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

// TestPrivate: what can be reached is refused all the same.
func TestPrivate(t *testing.T) {
	s := server(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		var private *web.PrivateError
		if _, err := Get(t.Context(), "http://"+host+":"+port+"/a.png", Options{}); !errors.As(err, &private) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, address := range []string{"file:///etc/passwd", "ftp://example.org/a.png", "http://", "http:///a.png", "://x", "gopher://x", "http://2130706433:" + port + "/", "http://0x7f.1:" + port + "/"} {
		if data, err := Get(t.Context(), address, Options{}); err == nil {
			t.Errorf("%s: %q", address, data)
		}
	}
	if _, err := Get(t.Context(), "ftp://user:secret@x/", Options{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a password is shown: %v", err)
	}
}

// TestRedirectToPrivate: the first server counts as public, the second does not.
func TestRedirectToPrivate(t *testing.T) {
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
	first := netip.MustParseAddr("127.0.0.1")
	allow := func(a netip.Addr) error {
		if a == first {
			return nil
		}
		return web.Public(a)
	}
	s := server(t)
	if data, err := get(t.Context(), s.URL+"/to?u="+s.URL+"/a.png", Options{}, allow); err != nil || string(data) != png {
		t.Errorf("to itself: %q, %v", data, err)
	}
	var private *web.PrivateError
	if _, err := get(t.Context(), s.URL+"/to?u="+inner.URL, Options{}, allow); !errors.As(err, &private) {
		t.Errorf("to %s: %v", inner.URL, err)
	}
}
