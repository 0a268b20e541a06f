// Package magic tells what a file holds by the bytes that it begins with.
package magic

// Matches tells whether data begins with a format's magic bytes, in which '?' stands for
// any byte.
func Matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}
