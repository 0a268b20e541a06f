package main

import (
	"context"
	"image"

	"lookalike/autoencoder"
	"lookalike/internal/sheet"
	"lookalike/picture/album"
	"lookalike/training"
)

// sheetPictures is how many pictures a sheet of reconstructions shows.
const sheetPictures = 8

// prepared returns some pictures, evenly spaced, as the network sees them.
func prepared(m *autoencoder.Model, photos *album.Set) (autoencoder.Pictures, error) {
	var shown autoencoder.Pictures
	for _, row := range training.Evenly(sheetPictures, photos.Len()) {
		p, err := photos.Load(row)
		if err != nil {
			return nil, err
		}
		shown = append(shown, m.Prepare(p))
	}
	return shown, nil
}

// reconstructions draws pictures above what the network makes of them, one at a time,
// for that takes little memory beside training.
func reconstructions(ctx context.Context, path string, m *autoencoder.Model, shown autoencoder.Pictures) error {
	var originals, drawn []image.Image
	for i, p := range shown {
		again, err := m.Reconstruct(ctx, shown[i:i+1])
		if err != nil {
			return err
		}
		originals, drawn = append(originals, p.RGBA()), append(drawn, again[0].RGBA())
	}
	return sheet.Write(path, sheet.Pairs(originals, drawn, sheet.Options{Height: 110}))
}
