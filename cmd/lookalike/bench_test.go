package main

import (
	"encoding/json"
	"testing"

	"lookalike/internal/cpu"
	"lookalike/internal/measure"
	"lookalike/internal/sweeptest"
)

func TestBenchVGG16(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	if cpu.Tier() == "generic" {
		t.Skip("takes a minute with portable kernels")
	}
	var r measure.Row
	if err := json.Unmarshal([]byte(printed(t, "bench", "--task", "vgg16", "--batch", "1", "--json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.Task != "vgg16" || r.Batch != 1 || !(r.MinMSPerImage > 0) || !(r.GFLOPS > 0) {
		t.Errorf("measured %+v", r)
	}
}
