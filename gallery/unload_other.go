//go:build !linux && !wasm

package gallery

import "go.etcd.io/bbolt"

// unload does what it does on Linux where that can be done.
func unload(*bbolt.DB) {}
