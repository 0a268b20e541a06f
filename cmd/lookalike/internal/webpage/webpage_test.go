package webpage

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"iter"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

func written(t *testing.T, p Page) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// of are the groups of a page, without an error.
func of(groups ...Group) iter.Seq2[Group, error] {
	return func(yield func(Group, error) bool) {
		for _, g := range groups {
			if !yield(g, nil) {
				return
			}
		}
	}
}

// What goes wrong with a group is what goes wrong with the page.
func TestFailure(t *testing.T) {
	broken := errors.New("broken")
	err := Write(io.Discard, Page{Groups: func(yield func(Group, error) bool) {
		yield(Group{}, nil)
		yield(Group{}, broken)
	}})
	if err != broken {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// Whatever files are called, a page holds their names as text only.
func TestHostileNames(t *testing.T) {
	const evil = `</title><script>alert(1)</script>"><img src=x onerror=alert(2)>`
	out := written(t, Page{Title: evil, Lead: evil, Facts: []Fact{{evil, evil}}, Foot: evil,
		Groups: of(Group{Title: evil, Note: evil, Cards: []Card{
			{Name: evil, Note: evil, Badge: evil, Missing: evil},
			{Name: evil, Link: "/photos/" + evil, Picture: image.NewRGBA(image.Rect(0, 0, 4, 3))}}})})
	if n := strings.Count(out, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if strings.Contains(out, "<img src=x") || strings.Contains(out, "ZgotmplZ") {
		t.Error("a name has become an element, or a link was refused")
	}
	if !strings.Contains(out, "&lt;script&gt;alert(1)") {
		t.Error("the names are not shown")
	}
}

// A page asks for nothing beyond itself, and its pictures are inside.
func TestOffline(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	out := written(t, Page{Title: "x", Groups: of(Group{Cards: []Card{{Name: "a", Picture: m}, {Name: "b"}}})})
	for _, address := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*"?([^"\s>)]+)`).FindAllStringSubmatch(out, -1) {
		if !strings.HasPrefix(address[1], "data:image/jpeg;base64,") {
			t.Errorf("the page asks for %.80s", address[1])
			continue
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.ReplaceAll(address[1], "&#43;", "+"), "data:image/jpeg;base64,"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jpeg.Decode(bytes.NewReader(data)); err != nil || got.Bounds() != m.Rect {
			t.Errorf("the thumbnail: %v", err)
		}
	}
	if !strings.Contains(out, "data:image/jpeg") || !strings.Contains(out, "default-src 'none'") || !strings.Contains(out, "no picture") {
		t.Error("no picture, no policy, or nothing in a picture's place")
	}
}

func TestFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths of Unix")
	}
	if got := string(File("/a b/50%/ü?#.jpg")); got != "file:///a%20b/50%25/%C3%BC%3F%23.jpg" {
		t.Error(got)
	}
}

// Other pages wear the same dress.
func TestNew(t *testing.T) {
	tmpl, err := New(`{{define "main"}}<p>{{.More}}</p>{{end}}{{define "style"}}p { color: red }{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, struct{ Title, Lead, More string }{"t", "l", "<m>"}); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); !strings.Contains(out, "<p>&lt;m&gt;</p>") || !strings.Contains(out, "p { color: red }") || !strings.Contains(out, "<h1>t</h1>") {
		t.Error(out)
	}
}
