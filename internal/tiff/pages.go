package tiff

import "lookalike/internal/ifd"

const (
	// What a page is, in bits of NewSubfileType.
	reduced = 1
	mask    = 4
)

// Pages counts the pictures of a file. Smaller versions of one, and masks, are none of
// their own, except for what comes first: that is what Decode reads.
func Pages(data []byte) int {
	f, err := ifd.Open(data, true)
	if err != nil {
		return 0
	}
	n, seen := 0, map[uint64]bool{}
	for at := f.First; at != 0 && !seen[at] && len(seen) < mostPages; {
		seen[at] = true
		d, err := f.Read(at)
		if err != nil || len(d.Fields) == 0 {
			break
		}
		if kind, _ := d.Fields[tagNewSubfileType].Uint(0); n == 0 || kind&(reduced|mask) == 0 {
			n++
		}
		at = d.Next
	}
	return n
}

// mostPages bounds the work for a file that is nothing but directories.
const mostPages = 1 << 16
