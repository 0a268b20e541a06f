package embedding_test

import (
	"fmt"
	"testing"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/internal/misusetest"
	"lookalike/nn"
	"lookalike/picture"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	ctx := t.Context()
	m := must(embedding.New(small, classes, "", 7))(t)
	var missing *embedding.Model
	empty := new(embedding.Model)
	photos, labels := coloured(2, 5)
	misusetest.Check(t, map[string]func() error{
		`Embed: embedding: |New`:       func() error { _, err := missing.Embed(ctx, nil); return fmt.Errorf("Embed: %w", err) },
		`Fingerprint: embedding: |New`: func() error { _, err := empty.Fingerprint(); return fmt.Errorf("Fingerprint: %w", err) },
		`Save: embedding: |New`:        func() error { return fmt.Errorf("Save: %w", missing.Save("x", nil)) },
		`FitSamples: embedding: |New`: func() error {
			_, err := empty.FitSamples(ctx, nil, nn.FitConfig{})
			return fmt.Errorf("FitSamples: %w", err)
		},
		`Start: embedding: |New`: func() error { return fmt.Errorf("Start: %w", missing.Start(nil, 1)) },
		`From: embedding: |New`:  func() error { return fmt.Errorf("From: %w", missing.From(nil)) },
		`Close: embedding: |New`: func() error { return fmt.Errorf("Close: %w", missing.Close()) },
		`Samples: embedding: |New`: func() error {
			_, err := empty.Samples(ctx, nil, nil, augment.Config{}, 1, nil)
			return fmt.Errorf("Samples: %w", err)
		},
		`embedding.Params: |New`:        func() error { empty.Params(); return nil },
		`embedding.Summary: |New`:       func() error { missing.Summary(); return nil },
		`embedding.Preprocessing: |New`: func() error { missing.Preprocessing(); return nil },
		`embedding.Metadata: |New`:      func() error { empty.Metadata(); return nil },
		`embedding.Prepare: |New`:       func() error { empty.Prepare(picture.New(3, 3)); return nil },
		`picture.Bilinear|no picture`:   func() error { m.Prepare(nil); return nil },
		`embedding: no photographs`:     func() error { _, err := m.Samples(ctx, nil, nil, augment.Config{}, 1, nil); return err },
		`embedding.Samples: 1 labels`:   func() error { m.Samples(ctx, photos, labels[:1], augment.Config{}, 1, nil); return nil },
		`embedding: "other" is none`: func() error {
			_, err := m.Samples(ctx, autoencoder.Pictures{nil}, []string{"other"}, augment.Config{}, 1, nil)
			return err
		},
		`embedding: picture 1|no pict`:   func() error { _, err := m.Embed(ctx, []*picture.Image{nil}); return err },
		`embedding: no autoencoder`:      func() error { return m.From(nil) },
		`embedding: the samples are not`: func() error { return m.Start(nil, 1) },
		`fit: no data`:                   func() error { _, err := m.FitSamples(ctx, nil, nn.FitConfig{Optimizer: nothing{}}); return err },
		`fit: no optimizer`:              func() error { _, err := m.FitSamples(ctx, nil, nn.FitConfig{}); return err },
		`false`:                          func() error { return fmt.Errorf("%v", embedding.IsModel(nil)) },
	})
	if err := m.Close(); err != nil {
		t.Errorf("a misused network does not close: %v", err)
	}
}

// nothing is an optimizer that leaves all as it is.
type nothing struct{}

func (nothing) Step([]*nn.Param) {}
