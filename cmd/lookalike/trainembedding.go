package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/describe"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/internal/words"
	"lookalike/picture/album"
	"lookalike/training"
)

// arcFace is the value of --embedding.
const arcFace = "arcface"

func (a *app) trainEmbedding(cmd *cobra.Command, args []string, o trainOptions) error {
	ctx := cmd.Context()
	m, record, err := o.resumeEmbedding(cmd)
	if err != nil {
		return err
	}
	if m != nil {
		defer m.Close()
	}
	// What is missing beside the pictures is found before they are read.
	file := ""
	if m == nil && o.base != embedding.Encoder {
		base := describe.Spec{Name: o.base, Weights: o.weights, Cache: a.cache}
		if file, err = base.File(); err != nil {
			return err
		}
	}
	c := &course{record: record, epochs: o.epochs, file: o.out, new: !o.resume, curve: o.curve, title: "ArcFace loss"}
	if done, err := a.alreadyDone(ctx, o, c); done || err != nil {
		return err
	}
	defer c.log.Close()
	files, err := o.files(args[0])
	if err != nil {
		return err
	}
	release, err := o.reserveEmbedding(m, record, files)
	if err != nil {
		return err
	}
	defer release()
	photos, err := a.trainingPictures(ctx, args[0], files, o, c)
	if err != nil {
		return err
	}
	sets, err := training.DivideClasses(photos, record.Validation, record.Unseen)
	if err != nil {
		return err
	}
	if o.split != "" {
		if err := sets.Write(o.split); err != nil {
			return err
		}
	}
	a.warnOfSingles(sets.Learned)
	if m == nil {
		if m, err = o.newEmbedding(cmd, sets.Learned, file); err != nil {
			return err
		}
		defer m.Close()
	}
	c.network = m
	change, err := augment.Parse(record.Augment)
	if err != nil {
		return fmt.Errorf("%s: %w", o.out, err)
	}
	if err := a.labelledSamples(ctx, m, c, sets.Learned, sets.Kept, change); err != nil {
		return err
	}
	if len(record.Losses) == 0 && m.Config.Base != embedding.Encoder {
		if err := m.Start(c.data, record.Seed); err != nil {
			return err
		}
	}
	return a.runCourse(cmd, args, o, c)
}

// resumeEmbedding returns the network to go on with, nil for a new one, whose
// classes are not known yet, and the record.
func (o *trainOptions) resumeEmbedding(cmd *cobra.Command) (*embedding.Model, *checkpoint.Training, error) {
	if !cmd.Flags().Changed("code") {
		o.code = 256
	}
	if !o.resume {
		return nil, o.newRecord(cmd), nil
	}
	m, t, err := embedding.Resume(o.out)
	if err != nil {
		return nil, nil, err
	}
	c := m.Config
	err = o.agree(cmd, t, flagValue{"code", o.code, c.Dim}, flagValue{"base", o.base, c.Base}, flagValue{"size", o.size, c.Size},
		flagValue{"margin", o.margin, c.Margin}, flagValue{"scale", o.scale, c.Scale})
	return m, t, err
}

// newEmbedding returns a network for the classes of some pictures. file has the
// weights of a VGG.
func (o *trainOptions) newEmbedding(cmd *cobra.Command, learned *album.Set, file string) (*embedding.Model, error) {
	config := embedding.Config{Base: o.base, Dim: o.code, Margin: o.margin, Scale: o.scale}
	if o.base != embedding.Encoder {
		return embedding.New(config, training.Classes(learned), file, o.seed)
	}
	config.Size = o.size
	if o.from == "" {
		return embedding.New(config, training.Classes(learned), "", o.seed)
	}
	from, err := autoencoder.Load(o.from)
	if err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("size") && o.size != from.Config.Size {
		return nil, fmt.Errorf("--size %d: the autoencoder in %s was trained with %d; leave the flag out", o.size, o.from, from.Config.Size)
	}
	config.Size, config.Widths = from.Config.Size, from.Config.Widths
	m, err := embedding.New(config, training.Classes(learned), "", o.seed)
	if err != nil {
		return nil, err
	}
	return m, m.From(from)
}

// labelledSamples makes what the network learns from and is validated on, and
// shows how far it is.
func (a *app) labelledSamples(ctx context.Context, m *embedding.Model, c *course, learned, kept *album.Set, change augment.Config) error {
	done := func(int) {}
	if m.Config.Base != embedding.Encoder {
		p := a.Progress("Describing pictures", "images", learned.Len()+kept.Len())
		defer p.End()
		done = func(n int) { p.Set(n) }
	}
	var err error
	if c.data, err = m.Samples(ctx, learned, learned.Labels(), change, c.record.Seed, func(n int) { done(n) }); err != nil {
		return err
	}
	if kept.Len() == 0 {
		return nil
	}
	c.validation, err = m.Samples(ctx, kept, kept.Labels(), augment.Config{}, 0, func(n int) { done(learned.Len() + n) })
	return err
}

// warnOfSingles names classes with one picture to learn from.
func (a *app) warnOfSingles(learned *album.Set) {
	n := map[string]int{}
	for _, label := range learned.Labels() {
		n[label]++
	}
	var single []string
	for _, class := range training.Classes(learned) {
		if n[class] == 1 {
			single = append(single, words.Printable(class))
		}
	}
	const most = 5
	if k := len(single); k > most {
		single = append(single[:most], fmt.Sprintf("and %d more", k-most))
	}
	if len(single) > 0 {
		a.Warn("warning: classes with one picture only, which cannot show what its pictures have in common: %s", strings.Join(single, ", "))
	}
}
