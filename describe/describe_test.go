package describe

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lookalike/autoencoder"
	"lookalike/gallery"
	"lookalike/internal/sample"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// drawings are some pictures.
func drawings(t *testing.T) []*picture.Image {
	t.Helper()
	var all []*picture.Image
	for p := range sample.Gallery(1, 2, 64) {
		if len(all) < 3 {
			all = append(all, picture.FromImage(p.Image))
		}
	}
	return all
}

// vectorsOf are what d makes of pictures.
func vectorsOf(t *testing.T, d Model, pictures []*picture.Image) []float32 {
	t.Helper()
	small := make([]*picture.Image, len(pictures))
	for i, p := range pictures {
		small[i] = d.Prepare(p)
	}
	v, err := d.Describe(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{len(pictures), d.Width()}; !slices.Equal(v.Shape(), want) {
		t.Fatalf("vectors of shape %v, want %v", v.Shape(), want)
	}
	return v.Data()
}

// trained writes an autoencoder whose first weights are drawn from seed.
func trained(t *testing.T, file string, seed uint64) {
	t.Helper()
	m, err := autoencoder.New(autoencoder.Config{Size: 32, Code: 5}, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(file, nil); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, m Spec) Model {
	t.Helper()
	d, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// What a recipe says leads to the same vectors again, wherever the model lies now,
// and to no others.
func TestLike(t *testing.T) {
	pictures, dir, elsewhere := drawings(t), t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "model.safetensors")
	trained(t, file, 1)
	for _, m := range []Spec{{Name: file}, {Name: Perceptual}} {
		d := opened(t, m)
		g := &gallery.Gallery{Recipe: d.Recipe().Reading(picture.Options{IgnoreOrientation: true})}
		again, err := Like(g, Place{Index: filepath.Join(dir, "photos.idx")})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if again.Recipe() != g.Recipe {
			t.Errorf("%s: recipe %+v, want %+v", m.Name, again.Recipe(), g.Recipe)
		}
		if got, want := vectorsOf(t, again, pictures), vectorsOf(t, d, pictures); !slices.Equal(got, want) {
			t.Errorf("%s: other vectors", m.Name)
		}
	}

	g := &gallery.Gallery{Recipe: opened(t, Spec{Name: file}).Recipe()}
	index := filepath.Join(elsewhere, "photos.idx")
	moved := filepath.Join(elsewhere, "model.safetensors")
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	d, err := Like(g, Place{Index: index})
	if err != nil || d.Recipe().WeightsFile != moved {
		t.Fatalf("beside the index: %v", err)
	}
	other := filepath.Join(dir, "other.safetensors")
	trained(t, other, 2)
	for _, c := range []struct {
		recipe      gallery.Recipe
		index, file string
		want        string
	}{
		{g.Recipe, index, other, "the index was made with the model"},
		{g.Recipe, filepath.Join(dir, "photos.idx"), "", "is at none of"},
		{gallery.Recipe{Model: Perceptual}, index, other, "has no weights"},
		{gallery.Recipe{Model: gallery.Imported}, index, "", "were imported"},
		{gallery.Recipe{Model: "resnet"}, index, "", `the network "resnet"`},
	} {
		if _, err := Like(&gallery.Gallery{Recipe: c.recipe}, Place{Index: c.index, Model: c.file}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	unknown := &gallery.Gallery{Recipe: gallery.Recipe{Model: "resnet"}}
	for name, g := range map[string]*gallery.Gallery{"a model that is nowhere": g, "one of an unknown kind": unknown} {
		if _, err := Like(g, Place{Index: filepath.Join(dir, "photos.idx")}); !errors.Is(err, ErrNoModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Like(nil, Place{Index: index}); err == nil {
		t.Error("the model of no index is opened")
	}
	if words := Words(unknown.Recipe); words != "resnet" {
		t.Errorf("%q", words)
	}
}

// Only of a network's file is the hash taken, and only if it is not on record.
func TestIdentify(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weights.h5")
	if err := os.WriteFile(file, []byte("weights"), 0o644); err != nil {
		t.Fatal(err)
	}
	sum, err := weights.Fingerprint(file)
	if err != nil {
		t.Fatal(err)
	}
	of := func(r, earlier gallery.Recipe) gallery.Recipe {
		r, err := Identify(r, earlier)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := of(gallery.Recipe{WeightsFile: file}, gallery.Recipe{})
	if r.WeightsFingerprint != sum {
		t.Errorf("hash %q, want %q", r.WeightsFingerprint, sum)
	}
	earlier := r
	earlier.WeightsFingerprint = "on record"
	if got := of(gallery.Recipe{WeightsFile: file}, earlier); got.WeightsFingerprint != "on record" {
		t.Errorf("the same file is hashed again: %q", got.WeightsFingerprint)
	}
	earlier.WeightsTime = earlier.WeightsTime.Add(-time.Second)
	if got := of(gallery.Recipe{WeightsFile: file}, earlier); got.WeightsFingerprint != sum {
		t.Errorf("a file of another time has the hash %q", got.WeightsFingerprint)
	}
	for _, r := range []gallery.Recipe{{Model: Perceptual}, {WeightsFile: file, WeightsFingerprint: "known"}} {
		if got := of(r, earlier); got != r {
			t.Errorf("%+v became %+v", r, got)
		}
	}
}

func TestMaps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "model.safetensors")
	trained(t, file, 1)
	pictures := drawings(t)
	d, ok := MapperOf(opened(t, Spec{Name: file}))
	if !ok {
		t.Fatal("an autoencoder has no feature maps")
	}
	maps, err := d.Maps(t.Context(), pictures)
	if err != nil || len(maps) != len(pictures) {
		t.Fatalf("%d maps, %v", len(maps), err)
	}
	for i, m := range maps {
		alone, err := d.Maps(t.Context(), pictures[i:i+1])
		if err != nil || len(m.Fine.Shape()) != 3 || !slices.Equal(alone[0].Fine.Data(), m.Fine.Data()) {
			t.Errorf("picture %d has a map of shape %v, another one by itself (%v)", i, m.Fine.Shape(), err)
		}
	}
	if _, ok := MapperOf(opened(t, Spec{Name: Perceptual})); ok {
		t.Error("a description without a network has feature maps")
	}
}

func TestMetric(t *testing.T) {
	for model, want := range map[string]knn.Metric{
		autoencoderKind: knn.Euclidean, Perceptual: knn.Euclidean,
		embeddingKind: knn.Cosine, "vgg16": knn.Cosine, gallery.Imported: knn.Cosine,
	} {
		if got := Metric(gallery.Recipe{Model: model}); got != want {
			t.Errorf("%s: %v, want %v", model, got, want)
		}
	}
}

func TestPooled(t *testing.T) {
	x := tensor.From([]float32{1, -5, 3, -7, 8, -1, 0, -3}, 1, 2, 2, 2)
	for how, want := range map[vgg.Pooling][]float32{vgg.Average: {3, -4}, vgg.Max: {8, -1}} {
		got := tensor.New(1, 2)
		if pool(got, x, how); !slices.Equal(got.Data(), want) {
			t.Errorf("%v: %v, want %v", how, got.Data(), want)
		}
	}
}

// A ground for transparent pictures is part of a network's recipe: with it, what is under
// alpha 0 is not seen, and an index that says so has it, too.
func TestGround(t *testing.T) {
	const file = "../../shared/weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
	if _, err := os.Stat(file); err != nil {
		t.Skip("needs " + file)
	}
	m := picture.New(4, 3)
	m.Alpha = make([]uint8, 4*3)
	for ground, want := range map[string]uint8{"": 0, "none": 0, "white": 255, "black": 0} {
		model := opened(t, Spec{Name: "vgg16", Weights: file, Ground: ground})
		if got := model.Prepare(m).Pix[0]; got != want {
			t.Errorf("on %q it is %d, want %d", ground, got, want)
		}
		like, err := kinds["vgg16"].Open(model.Recipe(), file)
		if err != nil {
			t.Fatal(err)
		}
		defer like.Close()
		if like.Recipe() != model.Recipe() || like.Prepare(m).Pix[0] != want {
			t.Errorf("on %q: %+v", ground, like.Recipe())
		}
		if plain := opened(t, Spec{Name: "vgg16", Weights: file}).Recipe(); (plain == model.Recipe()) != (ground == "" || ground == "none") {
			t.Errorf("the recipe on %q is %+v", ground, model.Recipe())
		}
	}
	if _, err := (Spec{Name: "vgg16", Weights: file, Ground: "blue"}).Open(); err == nil {
		t.Error("blue is a ground")
	}
}
