//go:build noheif || js || wasip1

// Package heif is built without decoders here.
package heif

import "lookalike/internal/worker"

// Main says that there are no decoders.
func Main() {
	worker.Refuse("this program was built without decoders of HEIC and AVIF (tag noheif)")
}
