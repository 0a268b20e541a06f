package album

import (
	"io/fs"
	"slices"

	"lookalike/internal/realpath"
	"lookalike/internal/words"
)

// Stat describes file i as it lies on disk. The error does not repeat the path.
func (s *Set) Stat(i int) (fs.FileInfo, error) {
	name := s.path("Stat", i)
	info, err := fs.Stat(s.fsys, name)
	if err == nil {
		err = ofSystem(name, info)
	}
	return info, words.Cause(err)
}

// Open opens file i for reading its bytes. The caller closes it.
func (s *Set) Open(i int) (fs.File, error) {
	name := s.path("Open", i)
	return s.fsys.Open(name)
}

// Without returns the set but for the files at some paths of the system, such as
// the program's own.
func (s *Set) Without(root string, files ...string) *Set {
	own := map[string]bool{}
	for _, file := range files {
		for _, path := range realpath.Below(root, file) {
			own[path] = true
		}
	}
	return s.with(slices.DeleteFunc(slices.Clone(s.all()), func(path string) bool { return own[path] }))
}
