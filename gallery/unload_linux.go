package gallery

import (
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// unload takes out of the process's memory what bbolt has read of its file, which it maps:
// a limit counts that too, and it would be all of the file in the end. What is needed
// again comes from the system's cache.
func unload(db *bbolt.DB) {
	db.View(func(tx *bbolt.Tx) error {
		unix.Syscall(unix.SYS_MADVISE, db.Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED)
		return nil
	})
}
