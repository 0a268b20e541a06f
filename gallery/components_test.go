//go:build !wasm

package gallery

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/knn/pca"
	"lookalike/picture"
	"lookalike/tensor"
)

// reduced is an index of principal components.
func reduced(t *testing.T) *Gallery {
	t.Helper()
	g := example(20, 7)
	p, err := pca.Fit(g.Vectors, 3, pca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g.Vectors, g.PCA = p.Transform(g.Vectors), p
	g.Recipe.PCA = g.fingerprint()
	return g
}

func TestComponentsAreKept(t *testing.T) {
	want := reduced(t)
	got, err := Open(save(t, want))
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range []*[]float64{&want.PCA.ExplainedVariance, &want.PCA.ExplainedVarianceRatio, &want.PCA.SingularValues} {
		for i, v := range *values {
			(*values)[i] = float64(float32(v))
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("came back as %+v, want %+v", got, want)
	}
	if plain := example(20, 7).Recipe; got.Recipe.Fingerprint() == plain.Fingerprint() {
		t.Error("components leave the fingerprint as it was")
	} else if err := got.Check(plain); err == nil || !strings.Contains(err.Error(), "principal components") {
		t.Errorf("a query without components: %v", err)
	}
	pooled := got.Recipe
	pooled.Pooling = "avg"
	if err := got.Check(pooled); err == nil || !strings.Contains(err.Error(), `pooling: "" in the index, "avg" in the query`) {
		t.Errorf("a query that is pooled: %v", err)
	}
}

func TestComponentsThatDoNotFit(t *testing.T) {
	for what, spoil := range map[string]func(*Gallery){
		"other components": func(g *Gallery) { g.PCA.Components.Data()[0]++ },
		"no components":    func(g *Gallery) { g.PCA = nil },
		"not on record":    func(g *Gallery) { g.Recipe.PCA = "" },
		"another number":   func(g *Gallery) { g.Vectors = tensor.New(20, 4) },
	} {
		g := reduced(t)
		spoil(g)
		if err := g.Save(t.TempDir() + "/a.idx"); err == nil || !strings.Contains(err.Error(), "principal components") {
			t.Errorf("%s: error %v", what, err)
		}
	}
	for what, change := range map[string]map[string]*tensor.Tensor{
		"rank":     {componentsName: tensor.New(21)},
		"mean":     {meanName: tensor.New(6)},
		"variance": {varianceName: tensor.New(4)},
	} {
		g := reduced(t)
		arrays := g.arrays()
		for name, a := range change {
			arrays[name] = a
		}
		if _, err := components(arrays); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// The whole vectors that components have replaced leave the file, also if they
// fill less than half of the room that bbolt has made for them.
func TestComponentsTakeTheRoomOfVectors(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 60 {
		files[fmt.Sprintf("%02d.png", i)] = plain(t, 2, 2, color.RGBA{R: uint8(i), G: uint8(2 * i), B: uint8(i * i)})
	}
	for _, wide := range []int{33_000, 50_000} {
		d := new(pixels).describer()
		d.Width, d.Components = wide, 2
		d.Describe = func(_ context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
			v := tensor.New(len(batch), wide)
			for i, p := range batch {
				copy(v.Row(i), []float32{float32(p.Pix[0]), float32(p.Pix[1]), float32(p.Pix[2])})
			}
			return v, nil
		}
		path := filepath.Join(t.TempDir(), "photos.idx")
		if _, _, err := Update(t.Context(), path, folder(t, files), "", d, Watch{}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if whole := int64(60 * wide * 4); info.Size() > whole/2 {
			t.Errorf("the index has %d bytes, whole vectors had %d", info.Size(), whole)
		}
	}
}
