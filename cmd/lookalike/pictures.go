package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

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

// check decodes files that are evenly spaced over the set until n of them are pictures, shows
// how far it is, and returns those. The others are reported.
func check(ctx context.Context, t *cli.Terminal, dir string, set *album.Set, n int) (*album.Set, error) {
	p := t.Progress("Checking pictures", "images", min(n, set.Len()))
	defer p.End()
	good, skips, err := set.Sample(ctx, n, func(tried int) { p.Set(min(tried, p.Total())) })
	p.End()
	if err != nil {
		return nil, err
	}
	report(t, skips, good.Len()+len(skips))
	if good.Len() == 0 {
		return nil, fmt.Errorf("no picture that could be read among the %s in %s", words.Count(set.Len(), "file"), dir)
	}
	return good, nil
}

// report tells which files of n were left out.
func report(t *cli.Terminal, skips []album.Skip, n int) {
	files := make([]cli.LeftOut, len(skips))
	for i, s := range skips {
		files[i] = cli.LeftOut{Path: s.Path, Reason: s.Reason, Kind: kindOf(s)}
	}
	t.LeaveOut(files, n)
}

// pictureSuffixes are of files of which people want to know that they are not pictures.
var pictureSuffixes = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif"}

// kindOf is what a file holds that is not a picture, "" if it is to be named: because it
// is damaged, cannot be read, or has the name of a picture.
func kindOf(s album.Skip) string {
	if _, is := errors.AsType[*album.SystemFolderError](s.Reason); is {
		return "system folder"
	}
	e, is := errors.AsType[*picture.KindError](s.Reason)
	suffix := strings.ToLower(path.Ext(s.Path))
	switch {
	case !is, slices.Contains(pictureSuffixes, suffix):
		return ""
	case e.Kind == picture.Video:
		return string(e.Kind)
	case e.Kind == picture.Foreign:
		return e.Format + " picture"
	case len(suffix) > 1 && len(suffix) <= longestSuffix && words.Printable(suffix) == suffix && !strings.Contains(suffix, " "):
		return suffix
	}
	return "other file"
}

// longestSuffix is in bytes; what is longer is a name with a point in it.
const longestSuffix = 12

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
