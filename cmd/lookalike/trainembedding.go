package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/checkpoint"
	"lookalike/embedding"
	"lookalike/internal/describe"
	"lookalike/picture"
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
		base := describe.Model{Name: o.base, Weights: o.weights}
		if file, err = base.File(); err != nil {
			return err
		}
	}
	c := &course{record: record, epochs: o.epochs, file: o.out, curve: o.curve, title: "ArcFace loss"}
	if a.alreadyDone(c) {
		return nil
	}
	photos, err := a.trainingPictures(ctx, args[0], o, c)
	if err != nil {
		return err
	}
	defer c.log.Close()
	learned, kept, unseen, err := splitClasses(photos, record)
	if err != nil {
		return err
	}
	if err := writeSplit(o.split, group{trainSet, learned}, group{validationSet, kept}, group{unseenSet, unseen}); err != nil {
		return err
	}
	a.warnOfSingles(learned)
	if m == nil {
		if m, err = o.newEmbedding(cmd, learned, file); err != nil {
			return err
		}
		defer m.Close()
	}
	c.network = m
	change, err := augment.Parse(record.Augment)
	if err != nil {
		return fmt.Errorf("%s: %w", o.out, err)
	}
	if err := a.labelledSamples(ctx, m, c, learned, kept, change); err != nil {
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
func (o *trainOptions) newEmbedding(cmd *cobra.Command, learned *picture.Set, file string) (*embedding.Model, error) {
	config := embedding.Config{Base: o.base, Dim: o.code, Margin: o.margin, Scale: o.scale}
	if o.base != embedding.Encoder {
		return embedding.New(config, classesOf(learned), file, o.seed)
	}
	config.Size = o.size
	if o.from == "" {
		return embedding.New(config, classesOf(learned), "", o.seed)
	}
	from, err := autoencoder.Load(o.from)
	if err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("size") && o.size != from.Config.Size {
		return nil, fmt.Errorf("--size %d: the autoencoder in %s was trained with %d; leave the flag away", o.size, o.from, from.Config.Size)
	}
	config.Size, config.Widths = from.Config.Size, from.Config.Widths
	m, err := embedding.New(config, classesOf(learned), "", o.seed)
	if err != nil {
		return nil, err
	}
	return m, m.From(from)
}

// labelledSamples makes what the network learns from and is validated on, and
// shows how far it is.
func (a *app) labelledSamples(ctx context.Context, m *embedding.Model, c *course, learned, kept *picture.Set, change augment.Config) error {
	done := func(int) {}
	if m.Config.Base != embedding.Encoder {
		p := a.progress("Describing pictures", "images", learned.Len()+kept.Len())
		defer p.end()
		done = func(n int) { p.set(n) }
	}
	var err error
	if c.data, err = m.Samples(ctx, learned, labelsOf(learned), change, c.record.Seed, func(n int) { done(n) }); err != nil {
		return err
	}
	if kept.Len() == 0 {
		return nil
	}
	c.validation, err = m.Samples(ctx, kept, labelsOf(kept), augment.Config{}, 0, func(n int) { done(learned.Len() + n) })
	return err
}

// labelsOf are the classes of pictures: the names of their folders.
func labelsOf(photos *picture.Set) []string {
	labels := make([]string, photos.Len())
	for i := range labels {
		labels[i] = photos.Label(i)
	}
	return labels
}

// classesOf are those that there are, sorted.
func classesOf(photos *picture.Set) []string {
	labels := labelsOf(photos)
	slices.Sort(labels)
	return slices.Compact(labels)
}

// splitClasses keeps a share of the classes, evenly spaced, out of training, and
// of the pictures of the others a share for validation. Every class that is
// learned keeps a picture to learn from.
func splitClasses(photos *picture.Set, record *checkpoint.Training) (learned, kept, unseen *picture.Set, err error) {
	none := func(err error) (*picture.Set, *picture.Set, *picture.Set, error) { return nil, nil, nil, err }
	for i := range photos.Len() {
		if photos.Label(i) == "" {
			return none(fmt.Errorf("%s lies in no folder below the one that is given, so its class is not known; put it into one, or train an autoencoder", photos.Path(i)))
		}
	}
	classes := classesOf(photos)
	k := int(math.Round(record.Unseen * float64(len(classes))))
	if record.Unseen > 0 && k < 1 {
		return none(fmt.Errorf("--unseen %v of %d classes is none; give a greater share", record.Unseen, len(classes)))
	}
	if len(classes)-k < 2 {
		return none(fmt.Errorf("there %s to learn, and at least two are needed; an embedding learns what tells the pictures of one folder from those of the others", are(len(classes)-k, "class")))
	}
	out := map[string]bool{}
	for _, i := range spread(k, len(classes)) {
		out[classes[i]] = true
	}
	var rows, away []int
	for i := range photos.Len() {
		if out[photos.Label(i)] {
			away = append(away, i)
		} else {
			rows = append(rows, i)
		}
	}
	seen := photos.Pick(rows)
	if learned, kept, err = split(seen, record.Validation); err != nil {
		return none(err)
	}
	if kept.Len() > 0 {
		learned, kept = leaveOne(seen, learned, kept)
	}
	return learned, kept, photos.Pick(away), nil
}

// leaveOne gives every class that has all of its pictures in kept the first of
// them back to learn from.
func leaveOne(all, learned, kept *picture.Set) (*picture.Set, *picture.Set) {
	has := map[string]bool{}
	for _, label := range labelsOf(learned) {
		has[label] = true
	}
	back := map[string]bool{}
	for i := range kept.Len() {
		if label := kept.Label(i); !has[label] {
			has[label], back[kept.Path(i)] = true, true
		}
	}
	in := map[string]bool{}
	for i := range learned.Len() {
		in[learned.Path(i)] = true
	}
	var learn, keep []int
	for i := range all.Len() {
		if path := all.Path(i); in[path] || back[path] {
			learn = append(learn, i)
		} else {
			keep = append(keep, i)
		}
	}
	return all.Pick(learn), all.Pick(keep)
}

// warnOfSingles names classes with one picture to learn from.
func (a *app) warnOfSingles(learned *picture.Set) {
	n := map[string]int{}
	for _, label := range labelsOf(learned) {
		n[label]++
	}
	var single []string
	for _, class := range classesOf(learned) {
		if n[class] == 1 {
			single = append(single, printable(class))
		}
	}
	const most = 5
	if k := len(single); k > most {
		single = append(single[:most], fmt.Sprintf("and %d more", k-most))
	}
	if len(single) > 0 {
		a.warn("warning: classes with one picture only, which cannot show what its pictures have in common: %s", strings.Join(single, ", "))
	}
}

// are writes how many things there are.
func are(n int, thing string) string {
	if n == 1 {
		return "is 1 " + thing
	}
	return fmt.Sprintf("are %d %ses", n, thing)
}
