// Package web is what all that fetches from the web has in common: which servers
// may be asked, and how addresses are shown, without the passwords in them.
package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Shown is an address for messages and results: without a user's name and password,
// for tokens stand in either, and without the values that by their names let in whoever
// has them, also if it cannot be parsed.
func Shown(address string) string {
	return secrets.ReplaceAllString(withoutUser(address), "${1}…")
}

// secrets are values in an address such as token=… and X-Amz-Signature=….
var secrets = regexp.MustCompile(`(?i)([?&;#][^=&;#]*(?:sig|token|key|secret|pass|pwd|auth|cred|session|jwt)[^=&;#]*=)[^&;#]+`)

// notPort is what stands in a port's place and is none: a password whose host is missing.
var notPort = regexp.MustCompile(`^([^:/?#]*://[^:/?#\[]*:)[^/?#]*[^0-9/?#][^/?#]*`)

func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err == nil && u.Host != "" {
		u.User = nil
		return u.String()
	}
	// Whatever may be a user's stands before the last @.
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return notPort.ReplaceAllString(address, "${1}…")
	}
	scheme, _, ok := strings.Cut(address, "://")
	if !ok || len(scheme) > at {
		return address[at+1:]
	}
	return scheme + "://" + address[at+1:]
}

// Parse reads the address of something on the web. The error names it as Shown does.
func Parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err == nil {
		err = check(u)
	} else if strings.Contains(address, "@") || notPort.MatchString(address) { // the parser may name what it stumbles over
		err = errors.New("this is not a valid address; characters such as / ? # % in a name or password must be written as %2F %3F %23 %25")
	} else if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Shown(address), err)
	}
	return u, nil
}

func check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("only http:// and https:// addresses can be fetched")
	case u.Hostname() == "":
		return errors.New("the address names no server")
	}
	return nil
}

const (
	maxHeader   = 64 << 10
	dialTimeout = 30 * time.Second
)

// Transport asks allowed servers only. Each address is checked when it is dialled,
// after the name has been resolved, and for every redirection: the address checked
// is the address used, and a name that resolves differently the next moment gains
// nothing.
//
// proxy says which proxy to use, as [http.ProxyFromEnvironment]; nil means none. A
// proxy may be anywhere. What is asked through one it resolves itself, so that only
// an address in figures, however written, and this machine's own name can be checked.
func Transport(allow Allow, proxy func(*http.Request) (*url.URL, error)) http.RoundTripper {
	t := &transport{Transport: http.DefaultTransport.(*http.Transport).Clone(), allow: allow}
	guarded := net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return allow(to.Addr())
	}}
	free := net.Dialer{Timeout: dialTimeout}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if _, isProxy := t.proxies.Load(address); isProxy {
			return free.DialContext(ctx, network, address)
		}
		return guarded.DialContext(ctx, network, address)
	}
	t.DisableKeepAlives = true  // few requests, and no connection is left open
	t.DisableCompression = true // what is fetched is compressed already
	t.MaxResponseHeaderBytes = maxHeader
	t.Proxy = nil
	if proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			u, err := proxy(r)
			if err != nil { // which shows the proxy's password
				return nil, errors.New("the environment names a proxy by what is not a valid address")
			}
			if u != nil {
				t.proxies.Store(dialled(u), true)
			}
			return u, nil
		}
	}
	return t
}

// transport is an http.Transport that looks at requests and redirections.
type transport struct {
	*http.Transport
	allow   Allow
	proxies sync.Map // addresses as they are dialled
}

// dialled is the address that net/http dials for a proxy.
func dialled(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	a, ok, err := named(r.URL.Hostname())
	if ok {
		err = t.allow(a)
	}
	if err != nil {
		return nil, err
	}
	response, err := t.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if to := response.Header.Get("Location"); to != "" && response.StatusCode/100 == 3 {
		if _, err := url.Parse(to); err != nil { // net/http's error would show all of it
			response.Body.Close()
			return nil, errors.New("a redirection to what is not a valid address")
		}
	}
	return response, nil
}

// Redirected says whether the request of a redirection may be made.
func Redirected(r *http.Request) error { return check(r.URL) }

// Plain takes off what net/http says about a request, which may have a password in
// it, and which callers name.
func Plain(err error) error {
	if e, ok := errors.AsType[*PrivateError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
