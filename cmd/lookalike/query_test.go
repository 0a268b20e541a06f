package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A query may be an address, of a machine of one's own if that is allowed.
func TestSearchAddress(t *testing.T) {
	photos := drawn(t, 2)
	dir := filepath.Dir(photos)
	model, index := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "photos.idx")
	trained(t, model)
	printed(t, "index", photos, "-o", index, "--model", model, "--quiet")
	picture, err := os.ReadFile(filepath.Join(photos, "fish", "fish-02.png"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/a.png", func(w http.ResponseWriter, _ *http.Request) { w.Write(picture) })
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><p>fish") })
	s := httptest.NewServer(mux)
	defer s.Close()
	html := filepath.Join(dir, "found.html")
	if out := printed(t, "search", index, s.URL+"/a.png", "--allow-private", "--exclude-self", "-k", "100", "--html", html); strings.Contains(out, "fish-02.png") || !strings.Contains(out, "fish-01.png") {
		t.Errorf("printed %s", out)
	}
	if !exists(html) {
		t.Error("no page")
	}
	if out := refused(t, "search", index, s.URL+"/page", "--allow-private"); !strings.Contains(out, "a page, not a picture") {
		t.Error(out)
	}
	if out := refused(t, "search", index, s.URL+"/none", "--allow-private"); !strings.Contains(out, "404") {
		t.Error(out)
	}

	// Nothing shows a name or password: not the results, not an error.
	page := filepath.Join(dir, "secret.html")
	with := strings.Replace(s.URL, "http://", "http://someone:secret@", 1) + "/a.png"
	out := printed(t, "search", index, with, "--allow-private", "--html", page) + printed(t, "search", index, with, "--allow-private", "--json")
	for _, address := range []string{with, with + ".jpg", "http://someone:sec ret@x/", "http://someone:secret@[::1/a.png", "ftp://someone:secret@x/"} {
		out += refused(t, "search", index, address)
	}
	out += refused(t, "weights", "fetch", "vgg16", "--url", with, "--output", filepath.Join(dir, "w.h5"))
	out += refused(t, "weights", "fetch", "vgg16", "--url", "http://someone:secret@[::1/", "--output", filepath.Join(dir, "w.h5"))
	if out += string(read(t, page)); strings.Contains(out, "someone") || strings.Contains(out, "secret@") || !strings.Contains(out, "--allow-private") {
		t.Error(out)
	}
}
