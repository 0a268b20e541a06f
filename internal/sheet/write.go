package sheet

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"strings"

	"lookalike/internal/atomicfile"
)

// Write saves img whole (see atomicfile) as PNG or JPEG, as path's suffix says:
// .png, .jpg or .jpeg in any case. Another suffix is an error.
func Write(path string, img image.Image) error {
	var encode func(io.Writer) error
	switch suffix := strings.ToLower(filepath.Ext(path)); suffix {
	case ".png":
		encode = func(w io.Writer) error { return png.Encode(w, img) }
	case ".jpg", ".jpeg":
		// The encoder's own check speaks of "image is too large" only.
		if s := img.Bounds().Size(); max(s.X, s.Y) > 65535 {
			return fmt.Errorf("write %s: JPEG holds at most 65535 x 65535 pixels, the picture has %d x %d: write .png instead, or use more rows", path, s.X, s.Y)
		}
		encode = func(w io.Writer) error { return jpeg.Encode(w, img, &jpeg.Options{Quality: 92}) }
	default:
		return fmt.Errorf("write %s: pictures are written as .png, .jpg or .jpeg, not as %q", path, suffix)
	}
	return atomicfile.Write(path, encode)
}
