package nn_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/tensor"
)

// TestArcFaceEqualsKeras holds cosines, loss and gradients against the paper's
// formulas as TensorFlow computes them in float64.
func TestArcFaceEqualsKeras(t *testing.T) {
	f := kerastest.Open(t, "arcface.safetensors")
	var cases []struct {
		Name          string
		Margin, Scale float64
		Easy          bool
	}
	if err := json.Unmarshal([]byte(f.Metadata()["cases"]), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 7 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			x, kernel, target := kerastest.Tensor(t, f, c.Name+"/x"), kerastest.Tensor(t, f, c.Name+"/kernel"), kerastest.Tensor(t, f, c.Name+"/target")
			net := nn.NewSequential("", &nn.UnitNorm{}, &nn.UnitDense{Units: kernel.Dim(1)})
			if err := net.Init(1, x.Dim(1)); err != nil {
				t.Fatal(err)
			}
			copy(net.Params()[0].Value.Data(), kernel.Data())
			cosines := net.Predict(x)
			nearAll(t, "cosines", cosines, kerastest.Tensor(t, f, c.Name+"/cosines"), 1)
			loss := nn.ArcFace{Margin: c.Margin, Scale: c.Scale, Easy: c.Easy}
			grad := tensor.New(cosines.Shape()...)
			got, want := loss.Loss(grad, cosines, target), float64(kerastest.Tensor(t, f, c.Name+"/loss").Data()[0])
			if math.Abs(got-want) > 2e-6*max(1, want) {
				t.Errorf("loss %v, Keras %v", got, want)
			}
			if c.Margin == 0.5 && c.Scale == 64 {
				if usual := (nn.ArcFace{Easy: c.Easy}).Loss(tensor.New(cosines.Shape()...), cosines, target); usual != got {
					t.Errorf("with default options %v, want %v", usual, got)
				}
			}
			y, dx := nn.Differentiate(net, x, grad)
			nearAll(t, "cosines in training", y, cosines, 1)
			// A cosine is rounded at 6e-8, and its angle's derivative, 1/sinθ, is at
			// most 50 in these cases.
			nearAll(t, "dx", dx, kerastest.Tensor(t, f, c.Name+"/dx"), 20)
			nearAll(t, "dkernel", net.Params()[0].Grad, kerastest.Tensor(t, f, c.Name+"/dkernel"), 20)
		})
	}
}

// nearAll fails unless values agree to some millionths of the greatest.
func nearAll(t *testing.T, what string, got, want *tensor.Tensor, millionths float64) {
	t.Helper()
	if fmt.Sprint(got.Shape()) != fmt.Sprint(want.Shape()) {
		t.Fatalf("%s: shape %v, Keras %v", what, got.Shape(), want.Shape())
	}
	var scale float64
	for _, v := range want.Data() {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i, w := range want.Data() {
		if d := math.Abs(float64(got.Data()[i] - w)); !(d <= millionths*1e-6*scale) {
			t.Fatalf("%s[%d] = %v, Keras %v: off by %.2g of the greatest", what, i, got.Data()[i], w, d/scale)
		}
	}
}

// arcFace is the loss of cosines in float64, by its definition.
func arcFace(l nn.ArcFace, cosines, target array) float64 {
	n := cosines.shape[len(cosines.shape)-1]
	var sum float64
	for r := 0; r < len(cosines.data); r += n {
		top, total, own := math.Inf(-1), 0.0, 0.0
		logits := make([]float64, n)
		for i := range n {
			c := cosines.data[r+i]
			z := c
			if target.data[r+i] == 1 {
				angle := math.Acos(c)
				switch {
				case l.Easy && angle < math.Pi/2, !l.Easy && angle < math.Pi-l.Margin:
					z = math.Cos(angle + l.Margin)
				case !l.Easy:
					z = c - l.Margin*math.Sin(l.Margin)
				}
				own = l.Scale * z
			}
			logits[i] = l.Scale * z
			top = max(top, logits[i])
		}
		for _, z := range logits {
			total += math.Exp(z - top)
		}
		sum += top + math.Log(total) - own
	}
	return sum / float64(len(cosines.data)/n)
}

// TestArcFaceGradient holds loss and gradient against central differences of the
// definition, for cosines anywhere between -1 and 1.
func TestArcFaceGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, l := range []nn.ArcFace{{Margin: 0.5, Scale: 64}, {Margin: 0.5, Scale: 64, Easy: true}, {Margin: 0.2, Scale: 8}, {Margin: 1.2, Scale: 4}} {
		for _, shape := range [][]int{{1, 2}, {40, 3}, {300, 67}} {
			cosines, target := tensor.New(shape...), tensor.New(shape...)
			for i := range cosines.Data() {
				cosines.Data()[i] = float32(0.999 * (2*rng.Float64() - 1))
			}
			for r := range shape[0] {
				target.Row(r)[rng.IntN(shape[1])] = 1
			}
			p, want := exact(cosines), exact(target)
			value := func() float64 { return arcFace(l, p, want) }
			grad := tensor.New(shape...)
			if got, loss := l.Loss(grad, cosines, target), value(); math.Abs(got-loss) > 1e-6*max(1, loss) {
				t.Errorf("%+v %v: loss %v, want %v", l, shape, got, loss)
			}
			if shape[0] < 300 {
				nearSlope(t, fmt.Sprint(l, shape), grad, slope(p, value), int(l.Scale*l.Scale))
			}
			// In place, as Fit may do it.
			again := cosines.Clone()
			l.Loss(again, again, target)
			for i, g := range grad.Data() {
				if again.Data()[i] != g {
					t.Fatalf("%+v %v: in place the gradient is another one", l, shape)
				}
			}
		}
	}
}

// TestArcFaceEdges: cosines on and beyond the ends of their range, as rounding
// gives them, and the drop at π-m.
func TestArcFaceEdges(t *testing.T) {
	for _, easy := range []bool{false, true} {
		l := nn.ArcFace{Easy: easy}
		for _, c := range []float32{-1.0000001, -1, 0, 1, math.Nextafter32(1, 0), 1.0000001} {
			grad := tensor.New(1, 2)
			loss := l.Loss(grad, tensor.From([]float32{c, 0}, 1, 2), tensor.From([]float32{1, 0}, 1, 2))
			if math.IsNaN(loss) || math.IsInf(loss, 0) || loss < 0 {
				t.Errorf("easy %v, cosine %v: loss %v", easy, c, loss)
			}
			for _, g := range grad.Data() {
				if g != g || math.Abs(float64(g)) > 64*2000 {
					t.Errorf("easy %v, cosine %v: gradient %v", easy, c, grad.Data())
				}
			}
		}
		nan := float32(math.NaN())
		if loss := l.Loss(tensor.New(1, 2), tensor.From([]float32{nan, 0}, 1, 2), tensor.From([]float32{1, 0}, 1, 2)); loss == loss {
			t.Errorf("easy %v: the loss of NaN is %v", easy, loss)
		}
	}
	// The nearer, the better, all the way round.
	last := math.Inf(1)
	for angle := math.Pi; angle >= 0; angle -= 0.01 {
		c := float32(math.Cos(angle))
		loss := (nn.ArcFace{Scale: 4}).Loss(tensor.New(1, 2), tensor.From([]float32{c, 0}, 1, 2), tensor.From([]float32{1, 0}, 1, 2))
		if loss > last {
			t.Fatalf("the loss rises to %v on the way to the class, at an angle of %v", loss, angle)
		}
		last = loss
	}
}
