package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/internal/cli"
	"lookalike/internal/words"
	"lookalike/picture"
)

// orientationFlag adds the flag of commands that read pictures.
func orientationFlag(cmd *cobra.Command, ignore *bool) {
	cmd.Flags().BoolVar(ignore, "ignore-orientation", false, "leave pictures as stored, whatever EXIF says about their orientation")
}

// orientation is how a recipe names what is done with EXIF's orientation.
func orientation(ignore bool) string {
	if ignore {
		return "ignored"
	}
	return "applied"
}

// folder lists the files of a folder.
func folder(dir string, o picture.Options) (*picture.Set, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("there is no folder %s to read pictures from", dir)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file; give the folder that the pictures lie in", dir)
	}
	set, err := picture.Folder(os.DirFS(dir), o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("the folder %s holds no files; give one that pictures lie in, at any depth", dir)
	}
	return set, nil
}

// sources opens folders, files and archives as one and lists their files, but for
// those of the program itself. The caller closes the source.
func sources(paths []string, o picture.Options, own ...string) (*picture.Source, *picture.Set, error) {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return nil, nil, fmt.Errorf("there is no folder, picture or archive %s to read pictures from", path)
		}
	}
	s, err := picture.OpenSources(paths)
	if err != nil {
		return nil, nil, err
	}
	root, err := filepath.Abs(s.Root)
	var set *picture.Set
	if err == nil {
		s.Root = root
		set, err = s.Pictures(o)
	}
	if err != nil {
		s.Close()
		return nil, nil, fmt.Errorf("%s: %w", strings.Join(paths, ", "), err)
	}
	if set = set.Without(s.Root, own...); set.Len() == 0 {
		s.Close()
		kind := s.Kind
		if kind == "several" {
			return nil, nil, fmt.Errorf("%s hold no files; give folders that pictures lie in, at any depth", strings.Join(paths, ", "))
		}
		return nil, nil, fmt.Errorf("the %s %s holds no files; give one that pictures lie in, at any depth", kind, paths[0])
	}
	return s, set, nil
}

// check decodes all files, shows how far it is, and returns those that are
// pictures. The others are reported.
func (a *app) check(ctx context.Context, dir string, set *picture.Set) (*picture.Set, error) {
	p := a.Progress("Checking pictures", "images", set.Len())
	defer p.End()
	good, skips, err := set.Check(ctx, func(i int) { p.Set(i + 1) })
	p.End()
	if err != nil {
		return nil, err
	}
	a.report(skips, set.Len())
	if good.Len() == 0 {
		return nil, fmt.Errorf("no picture that could be read among the %s in %s", words.Count(set.Len(), "file"), dir)
	}
	return good, nil
}

// report names the files of n that were left out.
func (a *app) report(skips []picture.Skip, n int) {
	for _, s := range skips {
		a.Skip(s.Path, s.Reason)
	}
	if len(skips) > 0 {
		verb := "could not be read as pictures and were left out"
		if len(skips) == 1 {
			verb = "could not be read as a picture and was left out"
		}
		a.Warn("warning: %d of %s %s", len(skips), words.Count(n, "file"), verb)
	}
}

// namesOf is the fingerprint of the pictures' names and order, and of how they
// are set upright.
func namesOf(photos *picture.Set, o picture.Options) string {
	h := sha256.New()
	if o.IgnoreOrientation {
		fmt.Fprintf(h, "orientation %s\x00", orientation(true))
	}
	for i := range photos.Len() {
		fmt.Fprintf(h, "%s\x00", photos.Path(i))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// decode reads a picture. The error does not name it.
func decode(open func() (io.ReadCloser, error), o picture.Options) (*picture.Image, error) {
	f, err := open()
	if err == nil {
		defer f.Close()
		var m *picture.Image
		if m, err = picture.Decode(f, o); err == nil {
			return m, nil
		}
	}
	return nil, cli.RootCause(err)
}
