// Package realpath compares paths of the system with symbolic links followed.
package realpath

import "path/filepath"

// Follow follows symbolic links, as far as the path exists.
func Follow(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(Follow(dir), filepath.Base(path))
	}
	return path
}

// Below returns by which paths, with slashes, a folder may have a file: the names
// compared as they are, and with links followed. There may be none.
func Below(folder, file string) []string {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return nil
	}
	var paths []string
	for _, names := range [][2]string{{folder, file}, {Follow(folder), Follow(file)}} {
		if path, err := filepath.Rel(names[0], names[1]); err == nil {
			paths = append(paths, filepath.ToSlash(path))
		}
	}
	return paths
}
