package gallery_test

import (
	"lookalike/gallery"
	"lookalike/gallery/internal/gallerytest"
)

func init() {
	gallery.Example, gallery.Save, gallery.OnlyIndex = gallerytest.Example, gallerytest.Save, gallerytest.OnlyIndex
}
