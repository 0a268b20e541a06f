package orientation

import "regexp"

// xmpOrientation is what Pillow looks for: an attribute in double quotes or an element,
// with the prefix that everybody writes.
var xmpOrientation = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

func fromXMP(xmp []byte) int {
	if m := xmpOrientation.FindSubmatchIndex(xmp); m != nil {
		if digit := xmp[m[2]]; digit >= '1' && digit <= '8' {
			return int(digit - '0')
		}
	}
	return Upright
}
