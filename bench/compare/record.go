package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"lookalike/internal/cpu"
)

// record is one line of the raw numbers: a measurement, or that an engine failed,
// or the machine, which begins a run.
type record struct {
	Run     string          `json:"run"` // when it began
	Group   string          `json:"group,omitempty"`
	Who     string          `json:"who,omitempty"`
	Round   int             `json:"round,omitempty"` // from 1
	Row     json.RawMessage `json:"row,omitempty"`   // as the engine's program printed it
	Failure string          `json:"failure,omitempty"`
	Machine *machine        `json:"machine,omitempty"`
}

// machine is what the numbers depend on beside the engines themselves.
type machine struct {
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Caches   string   `json:"caches"`
	System   string   `json:"system"`
	Load     string   `json:"load"`    // when the run began, over a minute; unknown but on Linux
	Kernels  []string `json:"kernels"` // that ours can use, best first
	Go       string   `json:"go"`
	Commit   string   `json:"commit"`
	Versions []string `json:"versions"` // of the Python packages

	Agreement []string `json:"agreement"` // with others' results, checked before anything was timed
}

func (r record) append(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

func readRecords(path string) ([]record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []record
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		list = append(list, r)
	}
	return list, lines.Err()
}

func cpuName() string { return cmp.Or(strings.TrimSpace(cpuid.CPU.BrandName), "unknown") }

// versions prints those of the packages that are installed.
const versions = `
from importlib.metadata import version, PackageNotFoundError
for p in "numpy onnxruntime openvino tensorflow tensorflow-cpu keras torch MNN ncnn faiss-cpu scikit-learn".split():
    try: print(p, version(p))
    except PackageNotFoundError: pass
import numpy
b = numpy.show_config("dicts")["Build Dependencies"]["blas"]
print("NumPy's", b["name"], b["version"])
`

func describe(ctx context.Context, c config) (machine, error) {
	m := machine{
		CPU:   cpuName(),
		Cores: runtime.NumCPU(),
		Caches: fmt.Sprintf("%d KB, %d KB, %d KB", cpuid.CPU.Cache.L1D>>10, cpuid.CPU.Cache.L2>>10,
			cpuid.CPU.Cache.L3>>10),
		System:  runtime.GOOS + "/" + runtime.GOARCH,
		Kernels: cpu.Tiers(),
		Go:      runtime.Version(),
		Load:    "unknown",
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	out, err := exec.CommandContext(ctx, c.python, "-c", versions).Output()
	if err != nil {
		return m, fmt.Errorf("%s cannot tell its packages' versions: %w", c.python, err)
	}
	m.Versions = strings.Split(strings.TrimSpace(string(out)), "\n")
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m, nil
}
