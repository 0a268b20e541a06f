package gallery

import (
	"context"
	"errors"
	"fmt"

	"lookalike/picture/album"
	"lookalike/tensor"
)

// bbolt needs locks and mapped files, which WebAssembly has not: an index is read
// there (see snapshot.go), and written nowhere.
var errReadOnly = fmt.Errorf("an index cannot be written by a program in WebAssembly, only read: %w", errors.ErrUnsupported)

func create(path string, s state, arrays map[string]*tensor.Tensor, n int, at func(int) row) error {
	return errReadOnly
}

func amend(path string, change func(*state) error) error {
	return fmt.Errorf("gallery: write %s: %w", path, errReadOnly)
}

func update(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	return Changes{}, nil, fmt.Errorf("gallery: write %s: %w", path, errReadOnly)
}

func remake(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	return update(ctx, path, photos, root, d, watch, fitBytes)
}
