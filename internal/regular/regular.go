// Package regular opens files that are to be read. What is no regular file is
// refused before it is opened: to open a pipe waits for a writer, perhaps for
// ever.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"lookalike/internal/words"
)

// What is no file.
var (
	errFolder = errors.New("it is a folder, not a file")
	errOther  = errors.New("it is not a regular file")
)

// Open opens the file at path for reading. Errors name path, but for what [Reason] makes
// of them; errors.Is finds fs.ErrNotExist and fs.ErrPermission in them.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case info.IsDir():
		err = errFolder
	case !info.Mode().IsRegular():
		err = errOther
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), err == errFolder, err == errOther:
		return nil, &refused{path, words.Cause(err)}
	case err != nil:
		return nil, err
	}
	return f, nil
}

// refused is that there is no regular file at a path.
type refused struct {
	path   string
	reason error
}

func (r *refused) Error() string {
	switch {
	case r.reason == errFolder || r.reason == errOther:
		return r.path + strings.TrimPrefix(r.reason.Error(), "it")
	case r.path == "":
		return "the name of the file is empty"
	}
	return "there is no file " + r.path
}

func (r *refused) Unwrap() error { return r.reason }

// Reason is why Open could not open a file, for who names the file.
func Reason(err error) error {
	if r, ok := errors.AsType[*refused](err); ok {
		return r.reason
	}
	return words.Cause(err)
}
