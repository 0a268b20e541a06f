package vgg

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"lookalike/tensor"
)

// Class is one of ImageNet's 1000 classes.
type Class struct {
	ID   string // in WordNet, such as "n01440764"
	Name string // such as "tench"
}

//go:embed imagenet_classes.txt
var classTable string

// classes has the classes in the order of the network's outputs.
var classes = func() []Class {
	var list []Class
	for line := range strings.Lines(classTable) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		list = append(list, Class{id, name})
	}
	return list
}()

// Prediction is a class with the probability that the network gives it.
type Prediction struct {
	Class
	Score float32
}

// DecodePredictions names the most probable classes of each row of probabilities
// [n, 1000], the most probable first.
func DecodePredictions(probabilities *tensor.Tensor, top int) [][]Prediction {
	if shape := probabilities.Shape(); len(shape) != 2 || shape[1] != Classes {
		panic(fmt.Sprintf("vgg.DecodePredictions: probabilities have shape %v, want [n %d]", shape, Classes))
	}
	all := make([][]Prediction, probabilities.Dim(0))
	for i := range all {
		row := make([]Prediction, Classes)
		for c, score := range probabilities.Row(i) {
			row[c] = Prediction{classes[c], score}
		}
		slices.SortStableFunc(row, func(a, b Prediction) int {
			switch {
			case a.Score > b.Score:
				return -1
			case a.Score < b.Score:
				return 1
			}
			return 0
		})
		all[i] = row[:min(max(top, 0), Classes)]
	}
	return all
}
