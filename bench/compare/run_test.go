package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestMain lets this binary stand for an engine's program: it prints PRINT, or
// fails with FAIL.
func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv("FAIL"); ok {
		fmt.Fprintln(os.Stderr, text)
		os.Exit(1)
	}
	if text, ok := os.LookupEnv("PRINT"); ok {
		fmt.Println(text)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func program(who, env string) contestant {
	return contestant{who: who, command: []string{os.Args[0]}, env: []string{env}}
}

func TestJSONLines(t *testing.T) {
	out := "The device supports: fp16:0\n{\"task\": \"vgg16\"}\n  {\"task\": \"gemm\"}\r\n{broken\n[1]\n\n"
	var got []string
	for _, line := range jsonLines([]byte(out)) {
		got = append(got, string(line))
	}
	if want := []string{`{"task": "vgg16"}`, `{"task": "gemm"}`}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParseRow(t *testing.T) {
	for raw, want := range map[string]string{
		`{"task": "autoencoder train", "engine": "torch", "threads": 2, "min_ms_per_image": 30.5, "maxrss_mb": 2181}`: "autoencoder train batch 32 threads 2",
		`{"task":"autoencoder train","engine":"lookalike","threads":2,"batch":32,"min_ms_per_image":20}`:              "autoencoder train batch 32 threads 2",
		`{"task": "vgg16", "threads": 2, "batch": 8, "something": [1]}`:                                               "vgg16 batch 8 threads 2",
	} {
		r, err := parseRow([]byte(raw))
		if err != nil || r.Key() != want {
			t.Errorf("%s: key %q, error %v, want %q", raw, r.Key(), err, want)
		}
	}
	if _, err := parseRow([]byte(`{"task": "vgg16", "batch": "many"}`)); err == nil || !strings.Contains(err.Error(), "many") {
		t.Errorf("a batch that is no number: %v", err)
	}
}

func TestReason(t *testing.T) {
	for text, want := range map[string]string{
		"": "no message",
		"Traceback:\n  import torch\nModuleNotFoundError: No module named 'torch'\n": "not installed: No module named 'torch'",
		"one\ntwo\n\n": "two",
	} {
		if got := reason(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestGroupRun: contestants take turns, every second round backwards; one that
// fails is written down once and left out.
func TestGroupRun(t *testing.T) {
	const row = `PRINT={"task": "vgg16", "threads": 2, "batch": 1, "min_ms_per_image": 5}`
	g := group{"g", []contestant{program("lookalike", row), program("torch", "FAIL=ModuleNotFoundError: No module named 'torch'"), program("tf", row)}}
	var got []string
	err := g.run(t.Context(), 3, func(r record) error {
		got = append(got, fmt.Sprintf("%d %s %s", r.Round, r.Who, r.Failure))
		return nil
	})
	want := []string{"1 lookalike ", "1 torch not installed: No module named 'torch': exit status 1", "1 tf ", "2 tf ", "2 lookalike ", "3 lookalike ", "3 tf "}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, error %v, want %q", got, err, want)
	}

	for env, want := range map[string]string{"FAIL=broken": "g: lookalike: broken", "PRINT=nothing": "printed no measurement"} {
		g := group{"g", []contestant{program("lookalike", env)}}
		if err := g.run(t.Context(), 1, func(record) error { return nil }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", env, err, want)
		}
	}
}

func TestGroups(t *testing.T) {
	c := config{python: "py", peers: "p", vgg: "v", lookalike: "look", search: "find", data: "vectors", threads: 4, tiers: "best,avx2", available: []string{"avx512", "avx2", "generic"}}
	names := map[string]group{}
	for _, g := range groups(c) {
		names[g.name] = g
	}
	for _, want := range []string{"gemm threads 1", "gemm threads 4", "vgg16 batch 1", "vgg16 batch 8", "vgg16 batch 32", "autoencoder", "small threads 1", "small threads 4 beside a busy process", "knn mixture128", "knn pca-noise", "products in Go"} {
		if _, ok := names[want]; !ok {
			t.Errorf("no group %q", want)
		}
	}
	var got []string
	for _, c := range names["vgg16 batch 8"].contestants {
		got = append(got, strings.Join(append([]string{c.who, ":"}, append(c.env, c.command...)...), " "))
	}
	want := []string{
		"lookalike : LOOKALIKE_CPU= look bench --json --threads 4 --task vgg16 --batch 8",
		"lookalike avx2 : LOOKALIKE_CPU=avx2 look bench --json --threads 4 --task vgg16 --batch 8",
		"ort : py p/vgg.py ort 4 v 8", "ov : py p/vgg.py ov 4 v 8", "tf : py p/vgg.py tf 4 v 8", "mnn : py p/vgg.py mnn 4 v 8",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	got = nil
	for _, c := range names["knn mixture128"].contestants {
		got = append(got, strings.Join(append([]string{c.who, ":"}, c.command...), " "))
	}
	want = []string{
		"lookalike : find -data vectors -threads 4 mixture128", "lookalike prefiltered : find -data vectors -threads 4 -prefilter mixture128",
		"faiss flat : py search/flat.py vectors 4 mixture128",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	c.threads = 1
	if n := len(groups(c)); n != len(names)-3 {
		t.Errorf("%d groups with one thread, want %d", n, len(names)-3)
	}
}

func TestOurTiers(t *testing.T) {
	for _, c := range []struct {
		tiers     string
		available []string
		want      []string
	}{
		{"best,avx2", []string{"avx512", "avx2", "generic"}, []string{"", "avx2"}},
		{"best,avx2", []string{"avx2", "generic"}, []string{""}},
		{"best,avx2", []string{"neon", "generic"}, []string{""}},
		{"avx2,generic", []string{"avx512", "avx2", "generic"}, []string{"avx2", "generic"}},
	} {
		if got := (config{tiers: c.tiers, available: c.available}).ourTiers(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %v: %q, want %q", c.tiers, c.available, got, c.want)
		}
	}
}

func TestRecords(t *testing.T) {
	want := []record{
		{Run: "1", Machine: &machine{CPU: "x", Cores: 2, Kernels: []string{"avx2"}}},
		made("1", "g", "lookalike", 1, `{"task":"vgg16"}`),
		{Run: "1", Group: "g", Who: "torch", Round: 1, Failure: "not installed"},
	}
	var text bytes.Buffer
	for _, r := range want {
		if err := r.append(&text); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "raw.jsonl")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readRecords(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, error %v, want %+v", got, err, want)
	}
	if err := os.WriteFile(path, append(text.Bytes(), `{"run": "1`...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRecords(path); err == nil || !strings.Contains(err.Error(), "raw.jsonl, line 4") {
		t.Errorf("a line that was cut off: %v", err)
	}
}

func TestNear(t *testing.T) {
	if err := near([]float32{1, 2}, []float32{1, 2.0000002}, 100); err != nil {
		t.Error(err)
	}
	for _, c := range [][2]float32{{1, 1.001}, {1, float32(math.NaN())}, {float32(math.NaN()), 1}} {
		if near(c[:1], c[1:], 100) == nil {
			t.Errorf("%v passes for %v", c[0], c[1])
		}
	}
}
