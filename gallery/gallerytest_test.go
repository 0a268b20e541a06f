package gallery_test

import (
	"lookalike/gallery"
	"lookalike/gallery/internal/gallerytest"
)

func init() { gallery.Example, gallery.Save = gallerytest.Example, gallerytest.Save }
