package main

import (
	"context"
	"image"

	"lookalike/autoencoder"
	"lookalike/internal/sheet"
	"lookalike/internal/split"
	"lookalike/picture"
)

// sheetPictures is how many pictures a sheet of reconstructions shows.
const sheetPictures = 8

// prepared returns some pictures, evenly spaced, as the network sees them.
func prepared(m *autoencoder.Model, photos *picture.Set) (autoencoder.Pictures, error) {
	var shown autoencoder.Pictures
	for _, row := range split.Evenly(sheetPictures, photos.Len()) {
		p, err := photos.Load(row)
		if err != nil {
			return nil, err
		}
		shown = append(shown, m.Prepare(p))
	}
	return shown, nil
}

// reconstructions draws pictures above what the network makes of them.
func reconstructions(ctx context.Context, path string, m *autoencoder.Model, shown autoencoder.Pictures) error {
	again, err := m.Reconstruct(ctx, shown)
	if err != nil {
		return err
	}
	var originals, drawn []image.Image
	for i, p := range again {
		originals, drawn = append(originals, shown[i].RGBA()), append(drawn, p.RGBA())
	}
	return sheet.Write(path, sheet.Pairs(originals, drawn, sheet.Options{Height: 110}))
}
