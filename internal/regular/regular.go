// Package regular opens files that are to be read. What is no regular file is
// refused before it is opened: to open a pipe waits for a writer, perhaps for
// ever.
package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Open opens the file at path for reading. Errors name path; errors.Is finds
// fs.ErrNotExist and fs.ErrPermission in them.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing(path)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, not a file", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path)
	}
	return f, err
}

// missing is the path of a file that is not there.
type missing string

func (m missing) Error() string {
	if m == "" {
		return "the name of the file is empty"
	}
	return "there is no file " + string(m)
}

func (missing) Is(target error) bool { return target == fs.ErrNotExist }
