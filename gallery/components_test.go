//go:build !wasm

package gallery

import (
	"reflect"
	"strings"
	"testing"

	"lookalike/knn/pca"
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
	if err := got.Check(pooled); err == nil || !strings.Contains(err.Error(), "the pooling is none in the index, avg in the query") {
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
