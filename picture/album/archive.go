package album

import (
	"archive/tar"
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lookalike/internal/words"
)

// archive is the file system of an archive's regular files.
type archive struct {
	entries map[string]*entry // by clean path; "." is the root
	left    map[string]int    // by path: files that gave way to another of this path
}

// entry is a file or a folder of an archive, its own fs.FileInfo.
type entry struct {
	name     string // last element of the path
	size     int64
	modified time.Time
	open     func() (io.ReadCloser, error) // nil: a folder
	children []fs.DirEntry                 // of a folder, sorted by name
}

// Name, Size, Mode, ModTime, IsDir and Sys make an entry an fs.FileInfo.
func (e *entry) Name() string       { return e.name }
func (e *entry) Size() int64        { return e.size }
func (e *entry) ModTime() time.Time { return e.modified }
func (e *entry) IsDir() bool        { return e.open == nil }
func (e *entry) Sys() any           { return nil }
func (e *entry) Mode() fs.FileMode {
	if e.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// Limits that bound an index, about 300 bytes for each file and folder.
const (
	maxArchiveEntries = 2_000_000
	maxArchivePath    = 4096 // bytes
)

// member is a file as an archive lists it.
type member struct {
	name string // in the archive's encoding
	*entry
	linked string // the name of the file that a hard link leads to
}

// leftOut is a member that is listed so that it is not lost without a word: to open it
// is an error that says why.
func leftOut(name, format string, args ...any) member {
	err := fmt.Errorf(format, args...)
	return member{name: name, entry: &entry{open: func() (io.ReadCloser, error) { return nil, err }}}
}

// newArchive orders the members of an archive. The last of several with one path counts,
// and a folder before a file; those that give way are left out by a path of their own.
func newArchive(members []member, backslash bool) (*archive, error) {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	naming := namingOf(names, backslash)
	a := &archive{entries: map[string]*entry{}, left: map[string]int{}}
	for _, m := range members {
		name := naming.path(m.name)
		if len(name) > maxArchivePath {
			return nil, fmt.Errorf("the archive has a path of %d bytes; the limit is %d", len(name), maxArchivePath)
		}
		if m.linked != "" {
			if to := a.entries[naming.path(m.linked)]; to != nil {
				m.size, m.open = to.size, to.open
			} else {
				m.entry = leftOut("", "a hard link to %s, which the archive does not have before it", m.linked).entry
			}
		}
		if name == "" {
			a.giveWay("a file without a name", m.entry, errors.New("the archive gives a file no name"))
			continue
		}
		if earlier := a.entries[name]; earlier != nil {
			a.giveWay(name, earlier, errors.New("the archive has a later file of this path, which counts"))
		}
		a.put(name, m.entry)
	}
	return a, a.addFolders()
}

func (a *archive) put(name string, e *entry) {
	e.name = path.Base(name)
	a.entries[name] = e
}

// giveWay leaves a file out whose path another one has.
func (a *archive) giveWay(name string, e *entry, why error) {
	for {
		a.left[name]++
		if other := fmt.Sprintf("%s (left out %d)", name, a.left[name]); a.entries[other] == nil {
			a.put(other, &entry{size: e.size, modified: e.modified, open: func() (io.ReadCloser, error) { return nil, why }})
			return
		}
	}
}

// addFolders adds the folders and sorts what is in them.
func (a *archive) addFolders() error {
	folders := map[string]bool{}
	for name := range a.entries {
		for up := path.Dir(name); up != "." && !folders[up]; up = path.Dir(up) {
			folders[up] = true
		}
		if len(a.entries)+len(folders) >= maxArchiveEntries {
			return errTooMany
		}
	}
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if e := a.entries[name]; e != nil {
			delete(a.entries, name)
			a.giveWay(name, e, errors.New("the archive has a folder of this path, which counts"))
		}
	}
	files := slices.Sorted(maps.Keys(a.entries))
	a.entries["."] = &entry{name: "."}
	var place func(name string) *entry // the folder, put into its own folder
	place = func(name string) *entry {
		if e := a.entries[name]; e != nil {
			return e
		}
		e := &entry{}
		a.put(name, e)
		up := place(path.Dir(name))
		up.children = append(up.children, fs.FileInfoToDirEntry(e))
		return e
	}
	for _, name := range files {
		up := place(path.Dir(name))
		up.children = append(up.children, fs.FileInfoToDirEntry(a.entries[name]))
	}
	for _, e := range a.entries {
		slices.SortFunc(e.children, func(x, y fs.DirEntry) int { return strings.Compare(x.Name(), y.Name()) })
	}
	return nil
}

var errTooMany = fmt.Errorf("the archive holds more than %d files and folders, the limit", maxArchiveEntries)

// Open implements fs.FS.
func (a *archive) Open(name string) (fs.File, error) {
	e := a.entries[name]
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case e == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case e.IsDir():
		return &openFolder{entry: e}, nil
	}
	r, err := e.open()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openEntry{e, r}, nil
}

// Stat implements fs.StatFS: the size is known without opening.
func (a *archive) Stat(name string) (fs.FileInfo, error) {
	if e := a.entries[name]; e != nil && fs.ValidPath(name) {
		return e, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

type openEntry struct {
	*entry
	io.ReadCloser
}

func (f *openEntry) Stat() (fs.FileInfo, error) { return f.entry, nil }

type openFolder struct {
	*entry
	at int
}

func (f *openFolder) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *openFolder) Close() error               { return nil }
func (f *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.New("is a folder")}
}

// ReadDir implements fs.ReadDirFile.
func (f *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := f.children[f.at:]
	if n <= 0 {
		f.at = len(f.children)
		return slices.Clone(rest), nil
	}
	if len(rest) == 0 {
		return nil, io.EOF
	}
	rest = rest[:min(n, len(rest))]
	f.at += len(rest)
	return slices.Clone(rest), nil
}

// indexZip lists the files of a zip archive. zip.Reader is an fs.FS too, but
// refuses whole folders for one path that occurs twice.
func indexZip(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, words.CutShort(err)
	}
	if len(z.File) > maxArchiveEntries {
		return nil, errTooMany
	}
	backslash := separatedByBackslash(z.File)
	var members []member
	for _, f := range z.File {
		name := unicodeName(f)
		switch mode := f.Mode(); {
		case mode.IsDir(), backslash && strings.HasSuffix(name, `\`):
			continue
		case !mode.IsRegular():
			members = append(members, leftOut(name, "%s", kindOf(mode)))
			continue
		}
		open := f.Open
		if f.Flags&1 != 0 {
			open = func() (io.ReadCloser, error) { return nil, errors.New("the file is encrypted") }
		}
		size := int64(min(f.UncompressedSize64, 1<<62))
		members = append(members, member{name: name, entry: &entry{size: size, modified: f.Modified, open: open}})
	}
	return newArchive(members, backslash)
}

// separatedByBackslash tells whether a zip's paths have backslashes between folders, as
// some programs of DOS and Windows write them: none has a slash.
func separatedByBackslash(files []*zip.File) bool {
	return !slices.ContainsFunc(files, func(f *zip.File) bool {
		const fat, hpfs, ntfs, vfat = 0, 6, 10, 14 // file systems in the upper half of "version made by"
		return !slices.Contains([]uint16{fat, hpfs, ntfs, vfat}, f.CreatorVersion>>8) || strings.Contains(f.Name, "/")
	})
}

// unicodeName returns a file's name in UTF-8 where Info-ZIP's field for that is of this
// name, else the name as it is.
func unicodeName(f *zip.File) string {
	const unicodePath = 0x7075
	for extra := f.Extra; len(extra) >= 4; {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		if size > len(extra) {
			break
		}
		field := extra[:size]
		extra = extra[size:]
		if id == unicodePath && size > 5 && field[0] == 1 && binary.LittleEndian.Uint32(field[1:]) == crc32.ChecksumIEEE([]byte(f.Name)) {
			if name := string(field[5:]); utf8.ValidString(name) {
				return name
			}
		}
	}
	return f.Name
}

// kindOf says why what is neither a file nor a folder is left out.
func kindOf(mode fs.FileMode) string {
	if mode&fs.ModeSymlink != 0 {
		return "a symbolic link, which is not followed in an archive"
	}
	return "neither a file nor a folder"
}

// indexTar lists the files of a tar archive and where each begins.
func indexTar(f *os.File, size int64) (*archive, error) {
	section := io.NewSectionReader(f, 0, size)
	t := tar.NewReader(section)
	var members []member
	for len(members) <= maxArchiveEntries {
		h, err := t.Next()
		if err == io.EOF {
			return newArchive(members, false)
		}
		if err != nil {
			return nil, fmt.Errorf("tar: %w", words.CutShort(err))
		}
		m := member{name: h.Name, entry: &entry{size: h.Size, modified: h.ModTime}}
		switch {
		case h.Typeflag == tar.TypeDir, h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case h.Typeflag == tar.TypeLink:
			m.linked = h.Linkname
		case sparse(h):
			m = leftOut(h.Name, "sparse files of tar cannot be read")
		case h.Typeflag == tar.TypeReg, h.Typeflag == tar.TypeCont:
			// The reader seeks over contents and reads headers block by
			// block, so it stands where this file begins.
			begin, err := section.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			if h.Size > size-begin {
				return nil, fmt.Errorf("tar: %s: %w", h.Name, words.ErrCut)
			}
			m.open = func() (io.ReadCloser, error) {
				return io.NopCloser(io.NewSectionReader(f, begin, h.Size)), nil
			}
		default:
			m = leftOut(h.Name, "%s", kindOf(h.FileInfo().Mode()))
		}
		members = append(members, m)
	}
	return nil, errTooMany
}

// sparse tells files that are stored with holes left out, so not in one piece.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}
