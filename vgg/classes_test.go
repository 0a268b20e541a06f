package vgg_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"

	"lookalike/tensor"
	"lookalike/vgg"
)

// TestClasses writes Keras's imagenet_class_index.json again; the MD5 is the one
// that Keras checks its download for.
func TestClasses(t *testing.T) {
	probabilities := tensor.New(1, vgg.Classes)
	for i := range vgg.Classes { // so that the classes come out in their order
		probabilities.Data()[i] = float32(vgg.Classes - i)
	}
	var entries []string
	for i, p := range vgg.DecodePredictions(probabilities, vgg.Classes)[0] {
		if p.Score != float32(vgg.Classes-i) {
			t.Fatalf("class %d has the score %v", i, p.Score)
		}
		entries = append(entries, fmt.Sprintf(`"%d": ["%s", "%s"]`, i, p.ID, p.Name))
	}
	sum := md5.Sum([]byte("{" + strings.Join(entries, ", ") + "}"))
	if got, want := hex.EncodeToString(sum[:]), "c2c37ea517e94d9795004a39431a14cb"; got != want {
		t.Errorf("the table of classes has the MD5 %s, Keras's %s", got, want)
	}
}

func TestDecodePredictions(t *testing.T) {
	probabilities := tensor.New(2, vgg.Classes)
	probabilities.Row(0)[7] = 0.75
	probabilities.Row(0)[999] = 0.25
	probabilities.Row(1)[1] = 1
	got := vgg.DecodePredictions(probabilities, 2)
	want := "[[{{n01514668 cock} 0.75} {{n15075141 toilet_tissue} 0.25}] [{{n01443537 goldfish} 1} {{n01440764 tench} 0}]]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := len(vgg.DecodePredictions(probabilities, 5000)[0]); n != vgg.Classes {
		t.Errorf("%d predictions of 1000 classes", n)
	}
	nan := tensor.New(1, vgg.Classes) // must not hang or panic
	nan.Row(0)[3] = float32(math.NaN())
	vgg.DecodePredictions(nan, 5)
	defer func() {
		if recover() == nil {
			t.Error("features were taken for probabilities")
		}
	}()
	vgg.DecodePredictions(tensor.New(1, 4096), 5)
}
