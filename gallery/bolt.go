//go:build !wasm

package gallery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long a writer waits for another one to end.
const lockWait = 300 * time.Millisecond

var storeOptions = bbolt.Options{Timeout: lockWait, PageSize: pageSize, FreelistType: bbolt.FreelistMapType}

const (
	existing fs.FileMode = 0     // stands for the permissions of a store that is there
	writable fs.FileMode = 0o600 // are what a new one needs until it is whole
)

// openStore opens a store for writing: one that is there, or a new one with the
// permissions mode less the umask, where nothing may be.
func openStore(path string, mode fs.FileMode, o bbolt.Options) (db *bbolt.DB, info fs.FileInfo, err error) {
	var file *os.File
	o.OpenFile = func(name string, flags int, mode os.FileMode) (_ *os.File, err error) {
		if flags &^= os.O_CREATE; mode != existing {
			flags |= os.O_CREATE | os.O_EXCL
		}
		file, err = os.OpenFile(name, flags, mode)
		return file, err
	}
	err = guard(func() (err error) {
		db, err = bbolt.Open(path, mode, &o)
		return err
	})
	if err == nil {
		if info, err = file.Stat(); err != nil {
			db.Close()
		}
	}
	if err != nil && file != nil {
		file.Close() // which bbolt leaves open, and locked, when it panics
	}
	if errors.Is(err, berrors.ErrTimeout) {
		err = ErrBusy
	}
	return db, info, err
}

// guard calls f and returns as an error what bbolt panics with or where it reads
// beside its file.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, cause)
		}
	}()
	return f()
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// repeat is a transaction without changes.
func repeat(db *bbolt.DB) error { return db.Update(func(*bbolt.Tx) error { return nil }) }
