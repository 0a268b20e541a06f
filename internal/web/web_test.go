package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	for _, s := range []string{"8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255",
		"2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808", "::ffff:8.8.8.8"} {
		if err := Public(netip.MustParseAddr(s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.1.1", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.19.0.1", "198.51.100.7", "203.0.113.7",
		"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.1.1.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
		"64:ff9b:1::808:808", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "100::1"} {
		var private *PrivateError
		if err := Public(netip.MustParseAddr(s)); !errors.As(err, &private) {
			t.Errorf("%s: %v", s, err)
		}
	}
	if err := Public(netip.Addr{}); err == nil {
		t.Error("no address at all is public")
	}
}

func TestShown(t *testing.T) {
	for address, want := range map[string]string{
		"https://host/a?b=c#d":           "https://host/a?b=c#d",
		"https://medium.example/@name/x": "https://medium.example/@name/x",
		"https://name:secret@host/a@b":   "https://host/a@b",
		"https://secret@host:8/":         "https://host:8/",
		"http://name:sec ret@host/":      "http://host/",
		"http://name:se/cret@host/":      "http://host/",
		"http://name:%secret@host":       "http://host",
		"http://name:secret@[::1/":       "http://[::1/",
		"name:secret@host/a":             "host/a",
		"name:secret@host://x":           "host://x",
		"http://[::1/":                   "http://[::1/",
		"http://name:secret@host/%zz":    "http://host/%zz",
		"":                               "",
		"http://name:secret/x":           "http://name:…/x",
		"http://name:8secret":            "http://name:…",
		"http://h:99999/":                "http://h:99999/",
		"http:/name:secret@h/x":          "h/x",
		"http://h/x?a=b&token=secret&c=d#access_token=secret": "http://h/x?a=b&token=…&c=d#access_token=…",
		"http://h/x?X-Amz-Signature=secret;x=1":               "http://h/x?X-Amz-Signature=…;x=1",
		"http://[::1/?api_key=secret":                         "http://[::1/?api_key=…",
		"http://h/x?token=&a=b":                               "http://h/x?token=&a=b",
	} {
		if got := Shown(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
		if _, err := Parse(address); err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A proxy may be anywhere, but an address in figures is checked before it is asked.
func TestProxy(t *testing.T) {
	asked := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++ }))
	defer proxy.Close()
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: Transport(Public, http.ProxyURL(through))}
	response, err := client.Get("http://weights.example/w.h5")
	if err != nil || asked != 1 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	response.Body.Close()
	for _, address := range []string{"http://169.254.169.254/", "http://[::ffff:127.0.0.1]/", "http://127.0.0.1:1/",
		"http://2852039166/", "http://0xa9fea9fe/", "http://0xA9.0xFE.43518/", "http://0251.0376.0251.0376/", "http://169.254.169.254./", "http://127.1/", "http://0/",
		"http://localhost./", "http://a.LocalHost/", "https://127.1/", "http://169\u3002254\u3002169\u3002254/"} {
		if _, err := client.Get(address); !errors.As(err, new(*PrivateError)) || asked != 1 {
			t.Errorf("%s: asked %d times, %v", address, asked, err)
		}
	}
	bad := http.Client{Transport: Transport(Public, func(*http.Request) (*url.URL, error) {
		return nil, errors.New("invalid proxy address http://name:secret@[")
	})}
	if _, err := bad.Get("http://weights.example/"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestNamed(t *testing.T) {
	for host, want := range map[string]string{
		"127.1": "127.0.0.1", "0x7F000001": "127.0.0.1", "2130706433": "127.0.0.1", "0177.0.0.1": "127.0.0.1", "8.8.2056": "8.8.8.8", "8.8.8.8.": "8.8.8.8",
		"0x": "0.0.0.0", "localhost": "127.0.0.1", "::1": "::1",
		"host": "", "a.example.": "", "1.example": "", "0xyz": "", "dead.beef": "", "": "",
		"1.2.3.4.5": "error", "256.1.1.1": "error", "1.2.3.999": "error", "4294967296": "error", "a.1": "error", "1..1": "error",
		"\uff11\uff16\uff19.254.169.254": "error", "169.254.169.\u2461": "error", "08.1": "error", "18446744073709551616": "error",
	} {
		a, ok, err := named(host)
		got := ""
		if ok {
			got = a.String()
		} else if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s stands for %q, %v; want %q", host, got, err, want)
		}
	}
}
