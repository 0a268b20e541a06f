// Package webpage writes results as web pages that need nothing else: one file,
// with style, script and thumbnails inside, that opens anywhere without a
// network. A policy in the page forbids the browser to fetch anything.
package webpage

import (
	_ "embed"
	"encoding/base64"
	"html/template"
	"image"
	"io"
	"iter"
	"net/url"
	"path/filepath"
	"strings"

	"lookalike/cmd/lookalike/internal/thumbnail"
)

// Page is a page of pictures in groups.
type Page struct {
	Title  string
	Lead   string                  // what is shown, in a sentence
	Facts  []Fact                  // how it came about
	Groups iter.Seq2[Group, error] // the first error ends the page, and Write returns it
	Foot   string                  // the last line; may be empty
}

// Fact is a name and a value in the page's head.
type Fact struct{ Name, Value string }

// Group is pictures that belong together, under a heading.
type Group struct {
	Title string
	Note  string // beside the title
	Cards []Card
}

// Card is one picture.
type Card struct {
	Picture image.Image // the thumbnail; nil if there is none
	Missing string      // why there is none
	Name    string      // the line below it, such as a path
	Note    string      // the line below that, such as its size
	Badge   string      // in the picture's corner, such as a distance
	Lead    bool        // set off from the others, such as the query
	Link    string      // path of the picture's file; "" if it has none
}

// Side is the longest side of a thumbnail, in pixels: enough for screens that
// have two for each of a page's.
const Side = 400

// source returns a thumbnail as the address of an img element.
func source(m image.Image) template.URL {
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(thumbnail.JPEG(m)))
}

// File returns the address of a file of this machine.
func File(path string) template.URL {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // a drive's letter
		path = "/" + path
	}
	return template.URL((&url.URL{Scheme: "file", Path: path}).String())
}

var (
	//go:embed shell.gohtml
	shell string
	//go:embed groups.gohtml
	groups string
)

// New returns the template of a page of another make in the same dress, which
// is executed with data that has the fields Title and Lead. Definitions are of
// the templates "main", the page's content, and if need be "style" and
// "script", which add to the common ones; source and file are functions there.
func New(definitions string) (*template.Template, error) {
	t := template.New("page").Funcs(template.FuncMap{"source": source, "file": File, "breakable": breakable})
	if _, err := t.Parse(shell); err != nil {
		return nil, err
	}
	return t.Parse(definitions)
}

// breakable is a path that lines may be broken in after each folder.
func breakable(path string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(path), "/", "/<wbr>"))
}

// Write writes a page. The groups are asked for one after the other, so that
// their pictures need not all be in memory.
func Write(w io.Writer, p Page) error {
	t, err := New(groups)
	if err != nil {
		return err
	}
	if p.Groups == nil {
		p.Groups = func(func(Group, error) bool) {}
	}
	var failed error
	data := struct {
		Page
		Groups iter.Seq[Group]
	}{p, func(yield func(Group) bool) {
		for g, err := range p.Groups {
			if failed = err; err != nil || !yield(g) {
				return
			}
		}
	}}
	if err := t.Execute(w, data); err != nil {
		return err
	}
	return failed
}
