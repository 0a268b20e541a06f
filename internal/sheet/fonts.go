package sheet

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"lookalike/internal/regular"
)

// Go's font has Latin, Greek and Cyrillic letters. For all others there are the fonts of
// the system, in the folders where it keeps them.

const (
	mostEntries = 20000 // of folders, that are looked through
	mostFonts   = 250   // that are opened; they stay open
)

// fonts are those of some folders, opened one after the other until one has a glyph.
// Damaged ones are left out.
type fonts struct {
	folders []string
	list    func() []string // of their files, the best first

	mu     sync.Mutex
	opened []*sfnt.Font
	left   []string // files that have not been opened yet
	listed bool
	known  map[rune]*sfnt.Font // nil where none has it
}

func newFonts(folders []string) *fonts {
	f := &fonts{folders: folders, known: map[rune]*sfnt.Font{}}
	f.list = func() []string { return fontFiles(folders) }
	return f
}

// systemFonts are the fonts of this machine.
var systemFonts = newFonts(fontFolders())

// with returns a font that has the glyph, nil if there is none.
func (f *fonts) with(r rune) *sfnt.Font {
	f.mu.Lock()
	defer f.mu.Unlock()
	if found, known := f.known[r]; known {
		return found
	}
	if !f.listed {
		f.left, f.listed = f.list(), true
		f.left = f.left[:min(len(f.left), mostFonts)]
	}
	found := f.look(r)
	f.known[r] = found
	return found
}

func (f *fonts) look(r rune) *sfnt.Font {
	for _, opened := range f.opened {
		if hasGlyph(opened, r) {
			return opened
		}
	}
	for len(f.left) > 0 {
		next := openFont(f.left[0])
		f.left = f.left[1:]
		if next == nil {
			continue
		}
		f.opened = append(f.opened, next)
		if hasGlyph(next, r) {
			return next
		}
	}
	return nil
}

// openFont returns the first font of a file, nil if there is none that can be read.
// What it needs is read from the file as it is needed.
func openFont(path string) (first *sfnt.Font) {
	file, err := regular.Open(path)
	if err != nil {
		return nil
	}
	defer func() {
		if recover() != nil { // of a damaged font
			first = nil
		}
		if first == nil {
			file.Close()
		}
	}()
	all, err := sfnt.ParseCollectionReaderAt(file)
	if err != nil || all.NumFonts() == 0 {
		return nil
	}
	if first, err = all.Font(0); err != nil {
		return nil
	}
	return first
}

// hasGlyph tells whether a font can draw a character. Some fonts of emoji have pictures
// in place of outlines; damaged ones have nothing that can be read, or glyphs as large as
// a house.
func hasGlyph(f *sfnt.Font, r rune) (has bool) {
	defer func() {
		if recover() != nil {
			has = false
		}
	}()
	var b sfnt.Buffer
	n, err := f.GlyphIndex(&b, r)
	if err != nil || n == 0 {
		return false
	}
	const em, most = 16, 8 * 16
	outline, err := f.LoadGlyph(&b, n, fixed.I(em), nil)
	if err != nil || len(outline) == 0 && !unicode.IsSpace(r) {
		return false
	}
	box := outline.Bounds()
	advance, err := f.GlyphAdvance(&b, n, fixed.I(em), font.HintingNone)
	return err == nil && advance >= 0 && advance < fixed.I(most) &&
		box.Min.X > fixed.I(-most) && box.Min.Y > fixed.I(-most) && box.Max.X < fixed.I(most) && box.Max.Y < fixed.I(most)
}

// fontFolders are the usual ones of the system and of the user.
func fontFolders() []string {
	home, _ := os.UserHomeDir()
	switch runtime.GOOS {
	case "windows":
		return []string{filepath.Join(cmp.Or(os.Getenv("WINDIR"), `C:\Windows`), "Fonts"),
			filepath.Join(os.Getenv("LOCALAPPDATA"), "Microsoft", "Windows", "Fonts")}
	case "darwin", "ios":
		return []string{"/System/Library/Fonts", "/Library/Fonts", filepath.Join(home, "Library", "Fonts")}
	}
	return []string{"/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/X11/fonts", "/run/current-system/sw/share/X11/fonts", "/system/fonts",
		filepath.Join(cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local", "share")), "fonts"), filepath.Join(home, ".fonts")}
}

// fontFiles lists the fonts in folders: upright ones of normal weight first, and of
// these such as have many scripts.
func fontFiles(folders []string) []string {
	type file struct {
		path  string
		worse int
	}
	var list []file
	entries := 0
	for _, folder := range folders {
		if !filepath.IsAbs(folder) { // of a variable that is not set
			continue
		}
		filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if entries++; entries > mostEntries {
				return fs.SkipAll
			}
			suffix := strings.ToLower(filepath.Ext(path))
			if err == nil && !e.IsDir() && slices.Contains([]string{".ttf", ".otf", ".ttc", ".otc"}, suffix) {
				list = append(list, file{path, worse(strings.ToLower(filepath.Base(path)))})
			}
			return nil // what cannot be read has no fonts
		})
	}
	slices.SortFunc(list, func(a, b file) int {
		return cmp.Or(cmp.Compare(a.worse, b.worse), cmp.Compare(filepath.Base(a.path), filepath.Base(b.path)), cmp.Compare(a.path, b.path))
	})
	paths := make([]string, len(list))
	for i, f := range list {
		paths[i] = f.path
	}
	return paths
}

// worse is how little a font suits beside Go's, by its name.
func worse(name string) int {
	n := 0
	for _, odd := range []string{"bold", "italic", "oblique", "condensed", "light", "black", "heavy", "thin", "medium", "mono", "serif", "mincho", "emoji"} {
		if strings.Contains(name, odd) {
			n += 2
		}
	}
	for _, many := range []string{"cjk", "unicode", "fallback"} {
		if strings.Contains(name, many) {
			n--
		}
	}
	return n
}
