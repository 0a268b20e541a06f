package album

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// tree is the file system below a folder, with archives as if they were folders
// too: "holiday.zip/beach/1.jpg" is a file of an archive. An archive that a folder
// holds is a file in its list; only who knows a path goes through it.
type tree struct {
	root   string
	folder fs.FS

	mu       sync.Mutex
	archives map[string]*Source // by path, opened when first gone through; nil: no archive
	closed   bool
}

func newTree(root string) *tree {
	return &tree{root: root, folder: os.DirFS(root), archives: map[string]*Source{}}
}

// through returns the archive that a path goes through, and the rest of the path.
func (t *tree) through(name string) (fs.FS, string) {
	if !fs.ValidPath(name) {
		return nil, ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed { // else an archive would be opened for ever
		return closedFolder{}, name
	}
	for at, c := range name {
		if c != '/' {
			continue
		}
		path := name[:at]
		archive, known := t.archives[path]
		if !known {
			file := filepath.Join(t.root, filepath.FromSlash(path))
			info, err := os.Stat(file)
			if err == nil && info.IsDir() {
				continue
			}
			if s, err := Open(file); err == nil && s.isArchive() {
				archive = s
			}
			t.archives[path] = archive
		}
		if archive == nil {
			return nil, ""
		}
		return archive.FS, name[at+1:]
	}
	return nil, ""
}

// Open implements fs.FS.
func (t *tree) Open(name string) (fs.File, error) {
	f, err := t.folder.Open(name)
	if err != nil {
		if archive, rest := t.through(name); archive != nil {
			return archive.Open(rest)
		}
	}
	return f, err
}

// Stat implements fs.StatFS.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(t.folder, name)
	if err != nil {
		if archive, rest := t.through(name); archive != nil {
			return fs.Stat(archive, rest)
		}
	}
	return info, err
}

// ReadDir implements fs.ReadDirFS.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(t.folder, name) }

func (t *tree) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	var first error
	for path, archive := range t.archives {
		if archive != nil {
			if err := archive.Close(); err != nil && first == nil {
				first = err
			}
		}
		delete(t.archives, path)
	}
	return first
}

// closedFolder is what a tree has instead of archives once it is closed.
type closedFolder struct{}

func (closedFolder) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrClosed}
}

// common is the deepest folder that all paths, absolute ones, lie in; "" if there
// is none.
func common(paths []string) string {
	at := filepath.Dir(paths[0])
	for _, path := range paths[1:] {
		for {
			rel, err := filepath.Rel(at, path)
			if err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
				break
			}
			up := filepath.Dir(at)
			if up == at {
				return ""
			}
			at = up
		}
	}
	return at
}
