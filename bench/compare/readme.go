package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lookalike/internal/measure"
)

// inReadme are the rows that README has, by how they begin.
var inReadme = []string{
	"gemm threads 2", "vgg16 batch 1 ", "autoencoder train batch 32 ", "knn euclidean photographs 200000x512, 1000 queries ", "index vgg16",
}

// The lines between which a document has the summary.
const (
	tableBegins = "<!-- table by bench/compare -->"
	tableEnds   = "<!-- end of table -->"
)

// replaceTable puts table between the two marks of text.
func replaceTable(text, table string) (string, error) {
	before, rest, begins := strings.Cut(text, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return "", fmt.Errorf("there is no %s … %s to put the table between", tableBegins, tableEnds)
	}
	return before + tableBegins + "\n" + table + tableEnds + after, nil
}

// summary has a line for each kind of work that others did too: our best kernels
// beside whoever of the others was the fastest; products as one geometric mean. If only
// names beginnings of lines, it has no others.
func summary(groups []*results, only []string) string {
	wanted := func(row string) bool {
		return only == nil || slices.ContainsFunc(only, func(begin string) bool { return strings.HasPrefix(row, begin) })
	}
	var b strings.Builder
	fmt.Fprint(&b, "| work | lookalike, ms | the fastest other, ms | times as fast | peak memory, MB |\n|---|---:|---|---:|---|\n")
	for _, g := range groups {
		for _, them := range g.theirs() {
			if means := g.productMeans(ourName, them); len(means) > 0 && wanted(g.group) {
				fmt.Fprintf(&b, "| %s, geometric mean | | %s | %s | |\n", g.group, engineName(them), timesAsFast(newStat(slices.Values(means))))
			}
		}
		for _, key := range g.keys {
			if ours := g.rows[ourName][key]; len(ours) > 0 && ours[0].Task != "gemm" && wanted(key) {
				g.summarize(&b, key, ours)
			}
		}
	}
	return b.String()
}

func (g *results) summarize(b *strings.Builder, key string, ours []roundOfRow) {
	ratios := pairs(ours, g.fastest(key), faster)
	if len(ratios) == 0 {
		return
	}
	best := slices.MinFunc(g.competitors(key), func(x, y string) int {
		return cmp.Compare(g.bestMS(x, key), g.bestMS(y, key))
	})
	memory := ""
	if task := ours[0].Task; task == "vgg16" || task == "autoencoder train" {
		memory = fmt.Sprintf("%.0f against %.0f", g.memory(ourName, key), g.memory(best, key))
	}
	fmt.Fprintf(b, "| %s | %s | %s (%s) | %s | %s |\n", key, measure.Milliseconds(g.bestMS(ourName, key)),
		measure.Milliseconds(g.bestMS(best, key)), engineName(best), timesAsFast(newStat(maps.Values(ratios))), memory)
}

// bestMS is the median over the rounds of the best time.
func (g *results) bestMS(who, key string) float64 {
	return statOf(g.rows[who][key], measure.Row.BestMS).median
}

func (g *results) memory(who, key string) float64 {
	return statOf(g.rows[who][key], func(r measure.Row) float64 { return float64(r.MaxRSSMB) }).median
}

func timesAsFast(s stat) string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.min, s.max) }

// engineName is what people call an engine that the scripts name briefly.
func engineName(who string) string {
	names := map[string]string{
		"ort": "ONNX Runtime", "ov": "OpenVINO", "tf": "TensorFlow", "torch": "PyTorch", "mnn": "MNN",
		"openblas": "OpenBLAS", "faiss flat": "FAISS", "gomlx": "GoMLX",
	}
	if name, ok := names[who]; ok {
		return name
	}
	return who
}
