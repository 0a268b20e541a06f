// Package remote fetches a picture by its address on the web, from public
// servers only unless told otherwise.
//
// What a user pastes, or a server redirects to, must not make the program fetch
// from networks that only this machine can reach; package web sees to that. For the
// same reason proxies named in the environment are not used: with one, the address
// dialled would be the proxy's.
package remote

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lookalike/internal/web"
)

// Options bounds what Get does. The zero value has the defaults.
type Options struct {
	AllowPrivate bool          // fetch from private and reserved addresses too
	MaxBytes     int64         // size of the file; 0 means 64 MiB
	Timeout      time.Duration // for everything together; 0 means 30 s
}

const (
	defaultMaxBytes = 64 << 20
	defaultTimeout  = 30 * time.Second
	maxRedirects    = 5
)

// IsAddress says whether a query is meant as an address, not as a path.
func IsAddress(query string) bool { return strings.Contains(query, "://") }

// Get returns the file at an http or https address. A page or other text is an
// error; whether the bytes are a picture is for the decoder to say. Errors name
// the address.
func Get(ctx context.Context, address string, o Options) ([]byte, error) {
	allow := web.Public
	if o.AllowPrivate {
		allow = web.Any
	}
	return get(ctx, address, o, allow)
}

func get(ctx context.Context, address string, o Options, allow web.Allow) ([]byte, error) {
	u, err := web.Parse(address)
	if err != nil {
		return nil, err
	}
	timeout := cmp.Or(o.Timeout, defaultTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no whole answer within %v", timeout))
	defer cancel()
	data, err := download(ctx, u, cmp.Or(o.MaxBytes, defaultMaxBytes), allow)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w", web.Shown(address), err)
	}
	return data, nil
}

func download(ctx context.Context, u *url.URL, maxBytes int64, allow web.Allow) ([]byte, error) {
	client := http.Client{
		Transport: web.Transport(allow, nil),
		CheckRedirect: func(r *http.Request, before []*http.Request) error {
			if len(before) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return web.Redirected(r)
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "lookalike")
	request.Header.Set("Accept", "image/*")
	response, err := client.Do(request)
	if err != nil {
		return nil, web.Plain(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %q", response.Status)
	}
	if response.ContentLength > maxBytes {
		return nil, fmt.Errorf("the file has %d bytes; the limit is %d", response.ContentLength, maxBytes)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBytes+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the server ended its answer early; try again")
	case err != nil:
		return nil, err
	case int64(len(data)) > maxBytes:
		return nil, fmt.Errorf("the file has more than %d bytes, the limit", maxBytes)
	}
	return data, checkContent(data, response.Header.Get("Content-Type"))
}

// checkContent goes by the bytes; the declared type only words an error.
func checkContent(data []byte, declared string) error {
	kind := http.DetectContentType(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	switch {
	case len(data) == 0:
		return errors.New("the answer is empty")
	case strings.HasPrefix(kind, "text/html"), strings.HasPrefix(kind, "text/") && strings.HasPrefix(declared, "text/html"):
		return errors.New("this is a page, not a picture; give the address of the picture itself (in a browser: \"copy image address\")")
	case strings.HasPrefix(kind, "text/"):
		return fmt.Errorf("this is text, not a picture (it begins with %q)", data[:min(40, len(data))])
	}
	return nil
}
