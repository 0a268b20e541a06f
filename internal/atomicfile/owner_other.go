//go:build !unix

package atomicfile

import "io/fs"

func changeOwner(string, fs.FileInfo) {}
