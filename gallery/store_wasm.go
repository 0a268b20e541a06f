package gallery

import (
	"context"
	"errors"
	"fmt"

	"lookalike/knn/pca"
	"lookalike/tensor"
)

// bbolt needs locks and mapped files, which WebAssembly has not: an index is read
// there (see snapshot.go), and written nowhere.
var errReadOnly = fmt.Errorf("an index cannot be written by a program in WebAssembly, only read: %w", errors.ErrUnsupported)

func create(path string, s state, arrays map[string]*tensor.Tensor, n int, at func(int) Row) error {
	return errReadOnly
}

func amend(path string, change func(*state) error) error {
	return fmt.Errorf("gallery: write %s: %w", path, errReadOnly)
}

// Writer is what writes to an index on other systems: nobody gets one here.
type Writer struct{}

// Write returns an error.
func Write(path string, h Head) (*Writer, error) {
	return nil, fmt.Errorf("gallery: write %s: %w", path, errReadOnly)
}

// Rewrite returns an error.
func Rewrite(path string, h Head) (*Writer, error) { return Write(path, h) }

func (w *Writer) Head() Head                                    { return Head{} }
func (w *Writer) Len() int                                      { return 0 }
func (w *Writer) Bytes() int                                    { return 0 }
func (w *Writer) PCA() *pca.PCA                                 { return nil }
func (w *Writer) Hidden() bool                                  { return false }
func (w *Writer) Check(Head) error                              { return errReadOnly }
func (w *Writer) Note(Head) error                               { return errReadOnly }
func (w *Writer) Scan(context.Context, func(Entry, File)) error { return errReadOnly }
func (w *Writer) Rows([]string) ([]*Row, error)                 { return nil, errReadOnly }
func (w *Writer) Commit([]Row, []string) error                  { return errReadOnly }
func (w *Writer) Reduce() error                                 { return errReadOnly }
func (w *Writer) End(error) error                               { return errReadOnly }
func (w *Writer) Abandon()                                      {}
