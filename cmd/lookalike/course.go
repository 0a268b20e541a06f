package main

import (
	"context"
	"fmt"
	"image"
	"path/filepath"

	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/sheet"
	"lookalike/nn"
	"lookalike/picture/album"
	"lookalike/training"
)

// trainingShown shows how a network is trained on n pictures; it is a callback
// of nn's Fit.
type trainingShown struct {
	*cli.Progress
	n, initial int // pictures, and epochs done before
}

// showTraining starts to show the training of the epochs after initial.
func showTraining(t *cli.Terminal, n, initial, epochs int) trainingShown {
	p := t.Progress("Training", "images", n*(epochs-initial))
	p.Set(0, fmt.Sprintf("epoch %d/%d", initial+1, epochs))
	p.NoLines() // those of the epochs are enough
	return trainingShown{p, n, initial}
}

func (t trainingShown) BatchEnd(b nn.BatchStats) error {
	epoch := fmt.Sprintf("epoch %d/%d", b.Epoch, b.Epochs)
	loss := fmt.Sprintf("  loss %.4f", b.MeanLoss)
	t.Set((b.Epoch-1-t.initial)*t.n+b.Samples,
		fmt.Sprintf("%s  batch %d/%d%s", epoch, b.Batch, b.Batches, loss), epoch+loss, epoch)
	return nil
}

func (t trainingShown) EpochEnd(e nn.EpochStats) error {
	t.Epoch(cli.Epoch{Epoch: e.Epoch, Epochs: e.Epochs, Loss: e.Loss, ValLoss: e.ValLoss, Samples: e.Samples, Seconds: e.Duration.Seconds()})
	return nil
}

// drawCurve draws the losses of all epochs after each, unless the path is "".
func drawCurve(c *training.Course, path, title string) nn.Callback {
	return nn.OnEpoch(func(nn.EpochStats) error {
		if path == "" {
			return nil
		}
		r := c.Result()
		series := []sheet.Series{{Name: "training", Values: r.Losses}}
		if len(r.ValLosses) > 0 {
			series = append(series, sheet.Series{Name: "validation", Values: r.ValLosses})
		}
		return sheet.LossCurve(path, title, series...)
	})
}

// drawSheets draws pictures above their reconstructions after each epoch: some that were
// kept out if there are any.
func drawSheets(ctx context.Context, m *autoencoder.Model, dir string, sets training.Split) (nn.Callback, error) {
	shown := sets.Learned
	if sets.Kept.Len() > 0 {
		shown = sets.Kept
	}
	pictures, err := prepared(m, shown)
	return nn.OnEpoch(func(e nn.EpochStats) error {
		return reconstructions(ctx, filepath.Join(dir, fmt.Sprintf("epoch-%03d.png", e.Epoch)), m, pictures)
	}), err
}

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
