package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/picture/album"
)

// orientationFlag adds the flag of commands that read pictures.
func orientationFlag(cmd *cobra.Command, ignore *bool) {
	cmd.Flags().BoolVar(ignore, "ignore-orientation", false, "leave pictures as stored, whatever EXIF says about their orientation")
}

// folder lists the files of a folder.
func folder(dir string, o picture.Options) (*album.Set, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("there is no folder %s to read pictures from", dir)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file; give the folder that the pictures lie in", dir)
	}
	set, err := album.Folder(os.DirFS(dir), o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("the folder %s holds no files; give one that pictures lie in, at any depth", dir)
	}
	return set, nil
}

// check decodes all files, shows how far it is, and returns those that are
// pictures. The others are reported.
func check(ctx context.Context, t *cli.Terminal, dir string, set *album.Set) (*album.Set, error) {
	p := t.Progress("Checking pictures", "images", set.Len())
	defer p.End()
	good, skips, err := set.Check(ctx, func(i int) { p.Set(i + 1) })
	p.End()
	if err != nil {
		return nil, err
	}
	report(t, skips, set.Len())
	if good.Len() == 0 {
		return nil, fmt.Errorf("no picture that could be read among the %s in %s", words.Count(set.Len(), "file"), dir)
	}
	return good, nil
}

// report names the files of n that were left out.
func report(t *cli.Terminal, skips []album.Skip, n int) {
	for _, s := range skips {
		t.Skip(s.Path, s.Reason)
	}
	if len(skips) > 0 {
		verb := "could not be read as pictures and were left out"
		if len(skips) == 1 {
			verb = "could not be read as a picture and was left out"
		}
		t.Warn("warning: %d of %s %s", len(skips), words.Count(n, "file"), verb)
	}
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
	return nil, words.Cause(err)
}

// numbers returns those from 0 to below n.
func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
