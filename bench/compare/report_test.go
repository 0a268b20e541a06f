package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/measure"
)

func TestStat(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   stat
	}{
		{[]float64{3}, stat{3, 3, 3}},
		{[]float64{4, 1}, stat{2.5, 1, 4}},
		{[]float64{9, 1, 2}, stat{2, 1, 9}},
		{[]float64{5, 1, 2, 4}, stat{3, 1, 5}},
	} {
		if got := newStat(slices.Values(c.values)); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	if got := geometricMean([]float64{2, 8}); !(math.Abs(got-4) < 1e-12) {
		t.Errorf("geometric mean of 2 and 8 is %v", got)
	}
}

// made is a record of a measurement.
func made(run, group, who string, round int, row string) record {
	return record{Run: run, Group: group, Who: who, Round: round, Row: json.RawMessage(row)}
}

func vgg(batch int, ms float64, mb int) string {
	return fmt.Sprintf(`{"task": "vgg16", "engine": "x", "threads": 2, "batch": %d, "min_ms_per_image": %v, "maxrss_mb": %d}`, batch, ms, mb)
}

func product(m, n, k int, ms float64) string {
	return fmt.Sprintf(`{"task": "gemm", "threads": 2, "m": %d, "n": %d, "k": %d, "min_ms": %v, "gflops": %v}`,
		m, n, k, ms, 2e-6*float64(m)*float64(n)*float64(k)/ms)
}

// lines asserts that a report has lines, and has none of others.
func lines(t *testing.T, records []record, want, not []string) {
	t.Helper()
	groups, err := lastRuns(records)
	if err != nil {
		t.Fatal(err)
	}
	text := report(groups, "raw/x.jsonl")
	all := strings.Split(text, "\n")
	for _, line := range want {
		if !slices.Contains(all, line) {
			t.Errorf("no line %q", line)
		}
	}
	for _, part := range not {
		if strings.Contains(text, part) {
			t.Errorf("there is %q", part)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestReportPairsRounds(t *testing.T) {
	const g = "vgg16 batch 1"
	lines(t, []record{
		{Run: "1", Machine: &machine{CPU: "Some CPU", Cores: 2, Kernels: []string{"avx2"}}},
		made("1", g, "lookalike", 1, vgg(1, 100, 700)), // a slow round
		made("1", g, "mnn", 1, vgg(1, 200, 1400)),
		made("1", g, "ort", 1, vgg(1, 150, 1074)),
		made("1", g, "mnn", 2, vgg(1, 80, 1390)),
		made("1", g, "ort", 2, vgg(1, 75, 1074)),
		made("1", g, "lookalike", 2, vgg(1, 50, 900)),
		made("1", g, "lookalike", 3, vgg(1, 50, 810)),
		made("1", g, "mnn", 3, vgg(1, 60, 1390)),
		{Run: "1", Group: g, Who: "ort", Round: 3, Failure: "not installed: No module named 'ort'"},
	}, []string{
		"## vgg16 batch 1",
		"Not measured: ort: not installed: No module named 'ort'",
		// 2, 1.6 and 1.2; ort in two rounds; the fastest is ort, ort, mnn
		"| vgg16 batch 1 threads 2 | lookalike | 50.00 | mnn | 80.00 | 1.60 | 1.20–2.00 | 1.50 | met |",
		"| vgg16 batch 1 threads 2 | lookalike | 50.00 | ort | 112 | 1.50 | 1.50–1.50 | 1.50 | met |",
		"| vgg16 batch 1 threads 2 | lookalike | 50.00 | the fastest | 75.00 | 1.50 | 1.20–1.50 | 1.50 | met |",
		"| vgg16 batch 1 threads 2 | lookalike | 810 | 700–900 | at most 800 | **not met** |",
		"| vgg16 batch 1 threads 2 | mnn | 1390 | 1390–1400 |  |  |",
	}, []string{"geometric mean", "share of the bound", "NaN"})
}

func TestReportTakesTheLastRunOfAGroup(t *testing.T) {
	lines(t, []record{
		made("1", "a", "lookalike", 1, vgg(8, 50, 1)),
		made("1", "a", "tf", 1, vgg(8, 70, 1)),
		made("1", "b", "lookalike", 1, vgg(1, 50, 1)),
		made("1", "b", "tf", 1, vgg(1, 200, 1)),
		made("2", "a", "lookalike", 1, vgg(8, 100, 1)),
		made("2", "a", "tf", 1, vgg(8, 300, 1)),
	}, []string{
		"| vgg16 batch 8 threads 2 | lookalike | 100 | tf | 300 | 3.00 | 3.00–3.00 | |  |",
		"| vgg16 batch 1 threads 2 | lookalike | 50.00 | tf | 200 | 4.00 | 4.00–4.00 | 1.50 | met |",
	}, []string{"1.40", "the fastest"})
}

func TestReportOfProducts(t *testing.T) {
	const g = "gemm threads 2"
	var records []record
	for round, slow := range []float64{1, 2} { // the machine is half as fast in the second round
		for _, r := range []struct{ who, row string }{
			{"lookalike", fmt.Sprintf(`{"task": "read bandwidth", "threads": 2, "min_ms": %v, "gb_per_s": %v}`, 10*slow, 40/slow)},
			{"lookalike", fmt.Sprintf(`{"task": "micro-kernel", "threads": 2, "min_ms": %v, "gflops": %v}`, 10*slow, 500/slow)},
			{"lookalike", product(1000, 1000, 1000, 5*slow)},
			{"lookalike", product(1, 4000, 25000, 20*slow)},
			{"openblas", product(1000, 1000, 1000, 10*slow)},
			{"openblas", product(1, 4000, 25000, 10*slow)},
			{"openblas", product(7, 7, 7, 1)}, // not ours
		} {
			records = append(records, made("1", g, r.who, round+1, r.row))
		}
	}
	lines(t, records, []string{
		"| gemm 1000x1000x1000 threads 2 | lookalike | 7.50 | openblas | 15.00 | 2.00 | 2.00–2.00 | 1.00 | met |",
		"| gemm 1x4000x25000 threads 2 | lookalike | 30.00 | openblas | 15.00 | 0.50 | 0.50–0.50 | 1.00 | **not met** |",
		"| **all products, geometric mean** | lookalike | | openblas | | 1.00 | 1.00–1.00 | 1.20 | **not met** |",
		"| read bandwidth threads 2 | lookalike | 30.0 GB/s | | | | |",
		"| gemm 1x4000x25000 threads 2 | lookalike | 15.0 GB/s | 0.50 | 0.50–0.50 | 0.85 | **not met** |",
		"| gemm 1000x1000x1000 threads 2 | lookalike | 300 GFLOP/s | 0.80 | 0.80–0.80 | |  |",
	}, []string{"7x7x7", "peak memory"})
}

func TestTargets(t *testing.T) {
	row := func(task string, batch int) measure.Row { return measure.Row{Task: task, Batch: batch} }
	search := func(data string, n, d, queries int) measure.Row {
		return measure.Row{Task: "knn", Data: data, N: n, D: d, Queries: queries}
	}
	for _, c := range []struct {
		us, them string
		row      measure.Row
		want     float64
	}{
		{"lookalike", "openblas", row("gemm", 0), 1},
		{"lookalike avx2", "openblas", row("gemm", 0), 0},
		{"lookalike", "gonum", row("gemm", 0), 0},
		{"lookalike", "mnn", row("vgg16", 1), 1.5},
		{"lookalike", fastest, row("vgg16", 1), 1.5},
		{"lookalike", "mnn", row("vgg16", 32), 1.3},
		{"lookalike", "tf", row("vgg16", 32), 1.7},
		{"lookalike", fastest, row("vgg16", 32), 0},
		{"lookalike", "mnn", row("vgg16", 8), 0},
		{"lookalike avx2", "mnn", row("vgg16", 32), 1},
		{"lookalike", "torch", row("autoencoder train", 32), 1.5},
		{"lookalike", "tf", row("autoencoder encode", 32), 1.5},
		{"lookalike avx2", "tf", row("autoencoder encode", 32), 1},
		{"lookalike", "faiss flat", search("", 1000000, 128, 1), 1.8},
		{"lookalike", "faiss flat", search("mixture", 1000000, 128, 1000), 4},
		{"lookalike", "faiss flat", search("", 9144, 32, 9144), 3},
		{"lookalike prefiltered", "faiss flat", search("mixture", 1000000, 128, 1), 4},
		{"lookalike prefiltered", "faiss flat", search("", 1000000, 128, 1), 0},
		{"lookalike prefiltered", "faiss flat", search("", 1000000, 128, 1000), 4},
		{"lookalike", "scikit-learn", row("pca 100 of 9144x4096", 0), 1},
	} {
		if got := target(c.us, c.them, c.row); got != c.want {
			t.Errorf("%s against %s, %s: target %v, want %v", c.us, c.them, c.row.Key(), got, c.want)
		}
	}
}
