package describe

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// Networks are the names of the models with published weights.
var Networks = []string{"vgg16", "vgg19"}

func init() {
	for _, name := range Networks {
		Register(name, Kind{Open: openVGG, HasFile: true, Metric: knn.Cosine, Words: vggWords, Limits: vggLimits})
	}
}

func vggWords(r gallery.Recipe) string {
	if r.Pooling != "" {
		return fmt.Sprintf("%s %s (%s)", r.Model, r.Layer, r.Pooling)
	}
	return r.Model + " " + r.Layer
}

// These are cosine distances by VGG16's block5_pool, averaged. Both were measured on
// the 4.7 million pairs of Caltech-101's 3,068 photographs.
const (
	// Two pairs of others than copies are as near. Of copies of 100 photographs it
	// finds 91 enlarged, 85 made brighter or written on, 49 saved as JPEG of quality
	// 20, 16 halved, and none blurred or brought to a third.
	vggCopies = 0.03

	// 241 pairs are as near, all of two of one folder. Of 120 photographs, each
	// changed in one way, it takes for the same all that were mirrored, 99 in 100
	// saved again as JPEG of quality 30, 97 made lighter by 0.3, 9 in 10 that lost a
	// tenth of width and height or half the size, and 4 in 10 that lost a quarter.
	vggAlike = 0.1
)

func vggLimits(r gallery.Recipe, metric knn.Metric) Limits {
	switch {
	case r.Layer != "block5_pool" || r.Pooling != vgg.Average.String() || metric != knn.Cosine:
		return Limits{}
	case r.Model == "vgg19":
		return Limits{Copies: vggCopies} // as VGG16
	}
	return Limits{Copies: vggCopies, Alike: vggAlike}
}

// grounds are those that transparent pictures may be put on before a network sees them,
// and what the recipe says of it. Without one alpha is dropped, as Keras does.
var grounds = []struct {
	name, words string
	gray        uint8
}{
	{"white", ", on white where transparent", 255},
	{"black", ", on black where transparent", 0},
}

// groundWords is what the recipe says of a ground, "" of none.
func groundWords(name string) (string, error) {
	for _, g := range grounds {
		if g.name == name {
			return g.words, nil
		}
	}
	if name == "" || name == "none" {
		return "", nil
	}
	return "", fmt.Errorf("no ground %q for transparent pictures; give white, black or none", name)
}

// vggModel describes pictures by the output of a layer of VGG16 or VGG19.
type vggModel struct {
	*vgg.Model
	recipe  gallery.Recipe // without a hash of the weights
	width   int
	pooling vgg.Pooling
	ground  func(*picture.Image) *picture.Image // nil: alpha is dropped
}

// openVGG opens the VGG of a recipe.
func openVGG(r gallery.Recipe, file string) (Model, error) {
	network, err := vgg.Open(file, vgg.Config{})
	if err != nil {
		return nil, err
	}
	m, err := features(network, r, file)
	if err != nil {
		network.Close()
		return nil, err
	}
	return m, nil
}

// features makes features of pictures with a VGG that was read from a file.
func features(network *vgg.Model, r gallery.Recipe, file string) (*vggModel, error) {
	if network.Name() != r.Model {
		return nil, fmt.Errorf("%s holds weights of %s, not of %s", file, network.Name(), r.Model)
	}
	name, poolName := r.Layer, r.Pooling
	switch {
	case name == "" && poolName == "" && network.DefaultLayer() != "fc2":
		name, poolName = network.DefaultLayer(), vgg.Average.String()
	case name == "" && poolName == "":
		name = network.DefaultLayer()
	case name == "":
		name = "block5_pool"
	}
	layer, err := network.Layer(name)
	if err != nil {
		return nil, err
	}
	width, pooling := tensor.Size(layer.Shape), vgg.None
	if poolName != "" {
		if pooling, err = vgg.ParsePooling(poolName); err != nil {
			return nil, err
		}
	}
	recipePooling := ""
	if pooling != vgg.None {
		if len(layer.Shape) != 3 {
			return nil, fmt.Errorf("the layer %s has %d numbers, which cannot be pooled; choose a layer of one of the blocks, or no pooling", name, width)
		}
		width, recipePooling = layer.Shape[2], pooling.String()
	}
	if err := network.Ready(name); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	preprocessing, ground := network.Preprocessing(), (func(*picture.Image) *picture.Image)(nil)
	for _, g := range grounds {
		if strings.HasSuffix(r.Preprocessing, g.words) {
			preprocessing += g.words
			ground = func(m *picture.Image) *picture.Image { return m.On(g.gray) }
		}
	}
	return &vggModel{network, gallery.Recipe{
		Model:         network.Name(),
		Layer:         name,
		Pooling:       recipePooling,
		Preprocessing: preprocessing,
		WeightsFile:   path,
	}, width, pooling, ground}, nil
}

func (m *vggModel) Recipe() gallery.Recipe { return m.recipe }
func (m *vggModel) Width() int             { return m.width }

// Prepare picks the pixels that the network sees, and puts them on the ground.
func (m *vggModel) Prepare(p *picture.Image) *picture.Image {
	if p = m.Model.Prepare(p); m.ground != nil {
		p = m.ground(p)
	}
	return p
}

func (m *vggModel) Describe(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	if m.pooling == vgg.None {
		x, err := m.Features(ctx, pictures, m.recipe.Layer)
		if err != nil {
			return nil, err
		}
		return x.Reshape(x.Dim(0), m.width), nil
	}
	layer, err := m.Layer(m.recipe.Layer)
	if err != nil {
		return nil, err
	}
	// What is pooled takes up to 13 MB a picture.
	n, each := len(pictures), 4*tensor.Size(layer.Shape)
	some := max(1, memory.Share(n*each, 16)/each)
	out := tensor.New(n, m.width)
	for lo := 0; lo < n; lo += some {
		hi := min(n, lo+some)
		x, err := m.Features(ctx, pictures[lo:hi], m.recipe.Layer)
		if err != nil {
			return nil, err
		}
		pool(out.Rows(lo, hi), x, m.pooling)
	}
	return out, nil
}

// pool writes each channel's mean or greatest value to out, from [n, h, w, c] to [n, c].
func pool(out, x *tensor.Tensor, how vgg.Pooling) {
	n, pixels, channels := x.Dim(0), x.Dim(1)*x.Dim(2), x.Dim(3)
	for i := range n {
		row, in := out.Row(i), x.Row(i)
		copy(row, in) // of the first pixel
		for pixel := 1; pixel < pixels; pixel++ {
			for c, v := range in[pixel*channels : (pixel+1)*channels] {
				if how == vgg.Max {
					row[c] = max(row[c], v)
				} else {
					row[c] += v
				}
			}
		}
		if how == vgg.Average {
			for c := range row {
				row[c] /= float32(pixels)
			}
		}
	}
}
