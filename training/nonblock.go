//go:build !wasm

package training

import "syscall"

// nonblock opens a pipe without waiting for its reader.
const nonblock = syscall.O_NONBLOCK
