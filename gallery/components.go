package gallery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"lookalike/knn/pca"
	"lookalike/tensor"
)

// Arrays of an index whose vectors are principal components, sorted.
const (
	componentsName = "pca/components"               // [k, d]
	varianceName   = "pca/explained_variance"       // [k]
	ratioName      = "pca/explained_variance_ratio" // [k]
	meanName       = "pca/mean"                     // [d]
	singularName   = "pca/singular_values"          // [k]
)

var pcaNames = []string{componentsName, varianceName, ratioName, meanName, singularName}

// arrays returns what an index stores of principal components.
func (g *Gallery) arrays() map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{}
	if p := g.PCA; p != nil {
		all[componentsName], all[meanName] = p.Components, p.Mean
		for name, values := range map[string][]float64{varianceName: p.ExplainedVariance, ratioName: p.ExplainedVarianceRatio, singularName: p.SingularValues} {
			all[name] = tensor.New(len(values))
			for i, v := range values {
				all[name].Data()[i] = float32(v)
			}
		}
	}
	return all
}

// components is the way back.
func components(arrays map[string]*tensor.Tensor) (*pca.PCA, error) {
	for _, name := range pcaNames {
		if arrays[name] == nil || len(arrays) != len(pcaNames) {
			return nil, fmt.Errorf("%d arrays, %q among them: %v", len(arrays), name, arrays[name] != nil)
		}
	}
	p := &pca.PCA{Components: arrays[componentsName], Mean: arrays[meanName]}
	if len(p.Components.Shape()) != 2 {
		return nil, fmt.Errorf("shape %v, want [k, d]", p.Components.Shape())
	}
	k, d := p.Components.Dim(0), p.Components.Dim(1)
	if shape := p.Mean.Shape(); len(shape) != 1 || shape[0] != d {
		return nil, fmt.Errorf("a mean of shape %v, components of shape %v", shape, p.Components.Shape())
	}
	for name, values := range map[string]*[]float64{varianceName: &p.ExplainedVariance, ratioName: &p.ExplainedVarianceRatio, singularName: &p.SingularValues} {
		if shape := arrays[name].Shape(); len(shape) != 1 || shape[0] != k {
			return nil, fmt.Errorf("%q has shape %v, want [%d]", name, shape, k)
		}
		for _, v := range arrays[name].Data() {
			*values = append(*values, float64(v))
		}
	}
	return p, nil
}

// fingerprint names what the vectors were brought to: the SHA-256 of mean and
// components, "" if there are none.
func (g *Gallery) fingerprint() string {
	if g.PCA == nil {
		return ""
	}
	h := sha256.New()
	writeArray(h, g.PCA.Mean)
	writeArray(h, g.PCA.Components)
	return hex.EncodeToString(h.Sum(nil))
}
