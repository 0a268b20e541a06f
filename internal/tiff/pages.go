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

// IsRaw tells whether a file is what a camera's sensor saw, with pictures for a glance
// before it: one of its first directory, or of those below it, holds values under colour
// filters, or it says that it is DNG or CR2.
func IsRaw(data []byte) bool {
	const tagPhotometric, tagSubIFDs, tagDNGVersion = 262, 330, 50706
	const colourFilters, linearRaw, mostBelow = 32803, 34892, 16
	f, err := ifd.Open(data, true)
	if err != nil {
		return false
	}
	if len(data) >= 10 && string(data[8:10]) == "CR" {
		return true
	}
	filtered := func(d ifd.Directory) bool {
		kind, _ := d.Fields[tagPhotometric].Uint(0)
		return kind == colourFilters || kind == linearRaw
	}
	at := f.First
	for range mostBelow { // directories that follow
		d, err := f.Read(at)
		if err != nil {
			return false
		}
		if _, dng := d.Fields[tagDNGVersion]; dng || filtered(d) {
			return true
		}
		below := d.Fields[tagSubIFDs]
		for i := range min(below.Len(), mostBelow) {
			place, _ := below.Uint(i)
			if d, err := f.Read(place); err == nil && filtered(d) {
				return true
			}
		}
		if at = d.Next; at == 0 {
			return false
		}
	}
	return false
}

// mostPages bounds the work for a file that is nothing but directories.
const mostPages = 1 << 16
