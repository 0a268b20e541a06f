// Package album lists the pictures of folders, zip and tar archives and single files,
// and reads them, several at a time and in order, for indexes and for training.
//
// [Folder] lists what lies in any file system. [Open] opens a place of this one, an
// archive too, and [OpenAll] several as one; [Source.Pictures] lists what is there. Both
// lead to a [Set]: paths in order, each of a file that package picture decodes when it
// is asked for. Labels are the names of the folders that pictures lie in.
//
// Files are untrusted, as in package picture. A file that is not a picture, or a damaged one,
// is an error that names the file; [Set.Check] leaves all of these out and
// returns them as values. Archives that are damaged as a whole are refused when they
// are opened. A number of no file panics.
package album

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"lookalike/internal/atomicfile"
	"lookalike/internal/closing"
	"lookalike/internal/magic"
	"lookalike/internal/words"
	"lookalike/picture"
)

// Source is where pictures lie: a folder, a zip or tar archive, one picture file,
// or several of these. It must be closed after the last picture has been read.
type Source struct {
	// Root is what the paths of Pictures are relative to: the folder, the archive,
	// the folder of a file, or the deepest folder that several lie in. Open of it
	// opens the same pictures by the same paths.
	Root string

	// FS is what the paths of Pictures lead into. Where it is a folder, a path may
	// go through an archive in it, as in "holiday.zip/beach/1.jpg".
	FS fs.FS

	Kind string // "folder", "zip", "tar", "tar.gz", "file" or "several"

	file  string // the name of a single file in FS
	parts []part // of several
	close func() error
	using closing.Guard
}

// part is one of several sources, and the path from their root to it.
type part struct {
	path string
	*Source
}

// Open opens what lies at a path; archives are recognised by their bytes,
// any other file is taken for a picture. Archives are read in place, but a
// compressed tar, which has no order to read single files by, is unpacked into
// a nameless temporary file, at most 100 times as large as the archive and 64 MiB.
//
// Inside of archives, paths are cleaned as if they were below a root ("../a" and "/a" are
// "a"), and the last of several files with one path counts. Hard links lead to the file.
// The others, symbolic links and devices are listed, but to read one is an error that says
// why. An archive in an archive is not a picture. Backslashes separate folders
// in zips of DOS and Windows that have no slash. Names in Shift-JIS, GBK, Big5, EUC-KR and
// the code pages 437 and 866 are recognised; where that is not certain, each byte becomes
// a character.
func Open(path string) (*Source, error) {
	info, err := os.Stat(path) // before opening, which waits if it is a pipe
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		t := newTree(path)
		return &Source{Root: path, FS: t, Kind: "folder", close: t.close}, nil
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a folder nor a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := openFile(f, info.Size())
	if s == nil || s.Kind == "tar.gz" || s.Kind == "file" {
		f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.Root == "" {
		s.Root = path
	}
	return s, nil
}

// OpenAll opens several places as one; one alone as Open does. Each
// picture's path is relative to the deepest folder that they all lie in, the same
// whatever the order; one that lies in two of them is listed once.
func OpenAll(paths []string) (*Source, error) {
	var absolute []string
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(absolute, path) {
			absolute = append(absolute, path)
		}
	}
	switch len(absolute) {
	case 0:
		return nil, errors.New("no folder, file or archive to read pictures from")
	case 1:
		return Open(paths[0])
	}
	root := common(absolute)
	if root == "" {
		return nil, fmt.Errorf("%s have no folder in common", strings.Join(paths, ", "))
	}
	t := newTree(root)
	all := &Source{Root: root, FS: t, Kind: "several"}
	all.close = func() error {
		err := t.close()
		for _, p := range all.parts {
			if !p.isArchive() { // else t has closed it
				err = cmp.Or(err, p.Close())
			}
		}
		return err
	}
	for _, path := range absolute {
		rel, err := filepath.Rel(root, path)
		var s *Source
		if err == nil {
			s, err = Open(path)
		}
		if err != nil {
			all.Close()
			return nil, err
		}
		rel = filepath.ToSlash(rel)
		all.parts = append(all.parts, part{rel, s})
		if s.isArchive() {
			t.archives[rel] = s
		}
	}
	return all, nil
}

func (s *Source) isArchive() bool { return s.Kind == "zip" || s.Kind == "tar" || s.Kind == "tar.gz" }

// openFile says by the first bytes what f is. Only zip and tar keep it.
func openFile(f *os.File, size int64) (*Source, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, words.Cause(err)
	}
	head = head[:n]
	for start, name := range map[string]string{"\xfd7zXZ\x00": "xz", "BZh??AY&SY": "bzip2", "(\xb5/\xfd": "zstd", "7z\xbc\xaf'\x1c": "7z", "Rar!\x1a\x07": "rar"} {
		if magic.Matches(head, start) {
			return nil, fmt.Errorf("archives packed with %s cannot be read; zip, tar and tar.gz can", name)
		}
	}
	switch {
	case magic.Matches(head, "PK\x03\x04"), magic.Matches(head, "PK\x05\x06"):
		a, err := indexZip(f, size)
		if err != nil {
			return nil, err
		}
		return &Source{FS: a, Kind: "zip", close: f.Close}, nil
	case magic.Matches(head, "\x1f\x8b"):
		return openTarGzip(f, size)
	case isTar(head):
		a, err := indexTar(f, size)
		if err != nil {
			return nil, err
		}
		return &Source{FS: a, Kind: "tar", close: f.Close}, nil
	}
	dir, name := filepath.Split(f.Name())
	if dir == "" {
		dir = "."
	}
	return &Source{Root: dir, FS: os.DirFS(dir), Kind: "file", file: name}, nil
}

// isTar tells a tar's first block by its checksum. What follows such a block,
// such as a long name, may be missing here.
func isTar(head []byte) bool {
	if len(head) < 512 {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head)).Next()
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF)
}

// openTarGzip unpacks into a temporary file, which is taken off its folder at
// once where the system allows that, so that nothing stays after a crash. Where it
// does not, the next run removes it.
func openTarGzip(f *os.File, size int64) (s *Source, err error) {
	packed, err := newGunzip(f)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", words.CutShort(err))
	}
	output, err := atomicfile.Reserve(atomicfile.TempName(os.TempDir()))
	if err != nil {
		return nil, err
	}
	spool, err := os.OpenFile(output.Temporary(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		output.Close()
		return nil, err
	}
	discard := func() error {
		defer output.Close()
		return spool.Close()
	}
	if os.Remove(spool.Name()) == nil {
		output.Close()
	}
	defer func() {
		if err != nil {
			discard()
		}
	}()
	head := make([]byte, 512)
	n, err := io.ReadFull(packed, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	if !isTar(head[:n]) {
		return nil, errors.New("a gzip file that holds no tar archive")
	}
	limit := 100*size + 64<<20
	unpacked, err := io.Copy(spool, io.LimitReader(io.MultiReader(bytes.NewReader(head), packed), limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("unpacking: %w", words.CutShort(err))
	case unpacked > limit:
		return nil, fmt.Errorf("the archive's %d bytes unpack to more than %d, the limit; unpack it into a folder and give that", size, limit)
	}
	a, err := indexTar(spool, unpacked)
	if err != nil {
		return nil, err
	}
	return &Source{FS: a, Kind: "tar.gz", close: discard}, nil
}

// gunzip reads gzip data, in one or several parts, up to what is none, such as the zeros
// of a tape or a download's last block: gzip itself ignores that, too.
type gunzip struct {
	file *bufio.Reader
	part *gzip.Reader
}

func newGunzip(r io.Reader) (*gunzip, error) {
	file := bufio.NewReader(r)
	part, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	part.Multistream(false)
	return &gunzip{file, part}, nil
}

func (g *gunzip) Read(p []byte) (int, error) {
	n, err := g.part.Read(p)
	if err != io.EOF {
		return n, err
	}
	if head, _ := g.file.Peek(2); string(head) != "\x1f\x8b" {
		return n, io.EOF
	}
	if err := g.part.Reset(g.file); err != nil {
		return n, err
	}
	g.part.Multistream(false)
	return n, nil
}

// Pictures lists the pictures as Folder does; a single file is one, whatever
// its name.
func (s *Source) Pictures(o picture.Options) (*Set, error) {
	if s == nil || s.FS == nil {
		return nil, errNoSource
	}
	if !s.using.Enter() {
		return nil, closing.Error("album: " + s.Root)
	}
	defer s.using.Leave()
	switch {
	case s.file != "":
		return &Set{fsys: s.FS, options: o.WithDefaults(), paths: []string{s.file}}, nil
	case s.parts == nil:
		return Folder(s.FS, o)
	}
	var paths []string
	for _, p := range s.parts {
		set, err := p.Pictures(o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
		if p.Kind == "file" {
			paths = append(paths, p.path)
			continue
		}
		for _, name := range set.paths {
			paths = append(paths, path.Join(p.path, name))
		}
	}
	slices.Sort(paths)
	return &Set{fsys: s.FS, options: o.WithDefaults(), paths: slices.Compact(paths)}, nil
}

// Close ends the use of an archive, of those in a folder too: reading from it, and
// Pictures, return [io/fs.ErrClosed] afterwards. It may be called again.
func (s *Source) Close() error {
	if s == nil {
		return errNoSource
	}
	return s.using.Close(s.close)
}

var errNoSource = errors.New("album: the source is nil or empty; Open makes one")
