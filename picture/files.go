package picture

import "io/fs"

// Stat describes file i as it lies on disk.
func (s *Set) Stat(i int) (fs.FileInfo, error) { return fs.Stat(s.fsys, s.paths[i]) }

// Open opens file i for reading its bytes. The caller closes it.
func (s *Set) Open(i int) (fs.File, error) { return s.fsys.Open(s.paths[i]) }

// Subset returns the set of the files numbered, in that order.
func (s *Set) Subset(files []int) *Set {
	paths := make([]string, len(files))
	for k, i := range files {
		paths[k] = s.paths[i]
	}
	return s.with(paths)
}
