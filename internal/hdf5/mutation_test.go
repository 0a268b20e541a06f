package hdf5

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/damagetest"
	"lookalike/internal/sweeptest"
)

// readAll does with a file all that the package can do, and returns the first
// error.
func readAll(b []byte, unchecked bool) error {
	f, err := open(bytes.NewReader(b), int64(len(b)), unchecked)
	if err != nil {
		return err
	}
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	attributes := func(o Object) {
		for _, name := range o.AttrNames() {
			a, err := o.Attr(name)
			if err != nil {
				note(err)
				continue
			}
			switch a.Type().Class {
			case String, VarString:
				_, err = a.Strings()
			case Integer:
				_, err = a.Ints()
			default:
				_, err = a.Floats()
			}
			note(err)
		}
	}
	seen := map[int64]bool{}
	var stored int64
	var walk func(g *Group, depth int)
	walk = func(g *Group, depth int) {
		attributes(g)
		for _, name := range g.Names() {
			o, err := g.Object(name)
			if err != nil {
				note(err)
				continue
			}
			if seen[o.Address()] {
				continue
			}
			seen[o.Address()] = true
			switch o := o.(type) {
			case *Group:
				walk(o, depth+1)
			case *Dataset:
				attributes(o)
				if stored += o.Stored(); stored > int64(len(b)) {
					note(errors.New("values overlap"))
					return
				}
				note(o.ReadFloat32(make([]float32, o.Len())))
			}
		}
	}
	walk(f.Root(), 0)
	return first
}

func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.h5")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 15 {
		t.Fatalf("%d fixtures", len(files))
	}
	return files
}

// TestMutations changes bytes of the fixtures and cuts them short, with and
// without regard to checksums, which would hide most of the damage. Whatever
// comes out, it comes soon, without a panic, and without more memory than a file
// of this size can ask for.
func TestMutations(t *testing.T) {
	cases := sweeptest.Cases(4_000, 20_000, 600_000)
	files := fixtures(t)
	var small, large [][]byte // most damage does is in descriptions, and small files have more of those
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b := files[name]
		if len(b) < 24<<10 {
			small = append(small, b)
		} else if !strings.HasPrefix(name, "extensible") {
			large = append(large, b)
		}
	}
	// Descriptions may take 4 times the file and a megabyte, attributes and values
	// as much as is there, deflated ones more.
	damagetest.Run(t, cases, 8<<20, func(n int) []byte {
		list := small
		if n%10 == 0 {
			list = large
		}
		return list[n/10%len(list)]
	}, func(n int, b []byte) error { return readAll(b, n%2 == 0) })
}

// TestCutShort: a file without its end is an error at every length.
func TestCutShort(t *testing.T) {
	for name, b := range fixtures(t) {
		if strings.HasPrefix(name, "refused") || strings.HasPrefix(name, "virtual") {
			continue
		}
		step := 1 + len(b)/500
		for n := 0; n < len(b); n += step {
			if err := readAll(b[:n], false); err == nil {
				t.Errorf("%s: no error with %d of %d bytes", name, n, len(b))
			}
		}
	}
}

// TestOneByte: in a file of the newest layout nearly every byte is under a
// checksum or is a value.
func TestOneByte(t *testing.T) {
	b := fixtures(t)["texts_latest.h5"]
	if err := readAll(b, false); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for at := range 48 {
		c := bytes.Clone(b)
		c[at] ^= 0x10
		if readAll(c, false) == nil {
			t.Errorf("byte %d of the superblock changed, and no error", at)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, b := range fixtures(f) {
		if len(b) < 64<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readAll(b, false)
		readAll(b, true)
	})
}
