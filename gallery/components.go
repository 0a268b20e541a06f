package gallery

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"

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

// encodeArray writes an array as the value of a store: rank, shape, values.
func encodeArray(a *tensor.Tensor) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(a.Shape())))
	for _, n := range a.Shape() {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b, _ = binary.Append(b, binary.LittleEndian, a.Data()) // cannot fail for float32
	return sealed(b)
}

func decodeArray(b []byte) (*tensor.Tensor, error) {
	b, err := unsealed(b)
	if err != nil {
		return nil, err
	}
	next := func() int64 {
		if len(b) < 4 {
			return -1
		}
		n := binary.LittleEndian.Uint32(b)
		b = b[4:]
		return int64(n)
	}
	rank := next()
	if rank != 1 && rank != 2 {
		return nil, fmt.Errorf("rank %d", rank)
	}
	var shape []int
	size := int64(1)
	for range rank {
		n := next()
		if n < 0 || n > int64(len(b)) {
			return nil, fmt.Errorf("a dimension of %d in %d bytes", n, len(b))
		}
		shape = append(shape, int(n))
		size *= n
	}
	if size*4 != int64(len(b)) {
		return nil, fmt.Errorf("shape %v in %d bytes", shape, len(b))
	}
	a := tensor.New(shape...)
	_, err = binary.Decode(b, binary.LittleEndian, a.Data())
	return a, err
}

// writeArray writes an array's shape and bytes to a hash.
func writeArray(h hash.Hash, a *tensor.Tensor) {
	fmt.Fprintln(h, a.Shape())
	var buf []byte
	for chunk := range slices.Chunk(a.Data(), 16<<10) {
		buf, _ = binary.Append(buf[:0], binary.LittleEndian, chunk) // cannot fail for float32
		h.Write(buf)
	}
}
