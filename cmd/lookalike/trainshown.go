package main

import (
	"fmt"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/nn"
)

// trainingShown shows how a network is trained on n pictures; it is a callback
// of nn's Fit.
type trainingShown struct {
	*cli.Progress
	n, initial int // pictures, and epochs done before
}

// training starts to show the training of the epochs after initial.
func (a *app) training(n, initial, epochs int) trainingShown {
	p := a.Progress("Training", "images", n*(epochs-initial))
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
