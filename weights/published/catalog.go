package published

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// File is a published file of weights.
type File struct {
	Name     string // in this program: a network, "-notop" for its convolutions alone
	URL      string
	Checksum Checksum
	Size     int64 // bytes

	file string // under which it is kept
}

// Files are the weights that Keras publishes, learned from ImageNet. Addresses
// and checksums are those of Keras's applications/vgg16.py and vgg19.py.
var Files = []File{
	keras("vgg16", "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b", 553467096),
	keras("vgg16-notop", "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc", 58889256),
	keras("vgg19", "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5", "cbe5617147190e668d6c5d5026f83318", 574710816),
	keras("vgg19-notop", "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb515780f3b799900260a226db6", 80134624),
}

func keras(name, file, md5 string, size int64) File {
	return File{name, "https://storage.googleapis.com/tensorflow/keras-applications/" + file, Checksum{"md5", md5}, size, path.Base(file)}
}

// Lookup returns the published file of that name.
func Lookup(name string) (File, error) {
	names := make([]string, len(Files))
	for i, f := range Files {
		if f.Name == name {
			return f, nil
		}
		names[i] = f.Name
	}
	return File{}, fmt.Errorf("there are no published weights called %q; there are %s", name, strings.Join(names, ", "))
}

// Store is the folder in which is kept what can be got again. "" is the one that the
// environment variable LOOKALIKE_CACHE names, otherwise "lookalike" in the user's cache
// folder (os.UserCacheDir, which follows XDG_CACHE_HOME).
type Store string

// Path is where one of Files is kept, whether it is there or not.
func (s Store) Path(f File) (string, error) {
	if f.file == "" {
		return "", fmt.Errorf("%q is none of the published files", f.Name)
	}
	dir, err := s.Folder()
	if err != nil {
		return "", fmt.Errorf("no folder for downloaded weights: %w", err)
	}
	return filepath.Join(dir, "weights", f.file), nil
}

// Folder is the path of the store, whether it is there or not.
func (s Store) Folder() (string, error) {
	dir := cmp.Or(string(s), os.Getenv("LOOKALIKE_CACHE"))
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("%w; set LOOKALIKE_CACHE to a folder", err)
		}
		dir = filepath.Join(cache, "lookalike")
	}
	return filepath.Abs(dir)
}

// Find returns where the first of the named files is that has been downloaded.
// If there is none, the error is a *MissingError; an unknown name is another error.
//
//	path, err := store.Find("vgg16", "vgg16-notop") // with the top if it is there
func (s Store) Find(names ...string) (string, error) {
	for _, name := range names {
		f, err := Lookup(name)
		if err != nil {
			return "", err
		}
		file, err := s.Path(f)
		if err != nil {
			return "", err
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file, nil
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return "", &MissingError{names}
}

// Fetch returns where the published file of that name is, and downloads it first if it is
// not there, from servers that are open to all.
func (s Store) Fetch(ctx context.Context, name string, watch Watch) (string, error) {
	return s.fetch(ctx, name, nil, watch)
}

func (s Store) fetch(ctx context.Context, name string, allow func(netip.Addr) error, watch Watch) (string, error) {
	path, err := s.Find(name)
	if _, missing := errors.AsType[*MissingError](err); !missing {
		return path, err
	}
	f, err := Lookup(name)
	if err == nil {
		path, err = s.Path(f)
	}
	if err == nil {
		err = Download(ctx, path, f, allow, watch)
	}
	if err != nil {
		return "", err
	}
	return path, nil
}

// MissingError is that none of the named weights is on this machine. It is
// os.ErrNotExist.
type MissingError struct{ Names []string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("the weights of %s are not on this machine", strings.Join(e.Names, " or "))
}

// Smallest returns the file of the names that is downloaded soonest; an empty one if
// there are no names.
func (e *MissingError) Smallest() File {
	if len(e.Names) == 0 {
		return File{}
	}
	name := slices.MinFunc(e.Names, func(a, b string) int { return cmp.Compare(size(a), size(b)) })
	f, _ := Lookup(name)
	return f
}

// size is of a published file, 0 for an unknown name.
func size(name string) int64 {
	f, _ := Lookup(name)
	return f.Size
}

func (*MissingError) Is(target error) bool { return target == os.ErrNotExist }
