package main

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/cpu"
)

// versionReport is what version prints.
type versionReport struct {
	Version   string   `json:"version"`
	Built     string   `json:"built"` // of the commit: RFC 3339, "" if it is not known
	Go        string   `json:"go"`
	Platform  string   `json:"platform"` // such as linux/amd64
	Processor string   `json:"processor"`
	Features  []string `json:"features"` // those of the processor that kernels are made for
	Threads   int      `json:"threads"`
	Cores     int      `json:"cores"`
	Kernels   string   `json:"kernels"`           // in use
	Available []string `json:"available_kernels"` // from the best to the portable ones
}

// kernelFeatures are those of processors that kernels are made for.
var kernelFeatures = []cpuid.FeatureID{
	cpuid.AVX2, cpuid.FMA3, cpuid.BMI2, cpuid.AVX512F, cpuid.AVX512VNNI, cpuid.AVX512VBMI2, cpuid.AVX512BF16, cpuid.AMXBF16, cpuid.AMXINT8, cpuid.ASIMD,
}

func newVersionReport() versionReport {
	r := versionReport{
		Version: version(), Built: buildSetting("vcs.time"),
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Processor: cmp.Or(cpuid.CPU.BrandName, "unknown"), Features: []string{},
		Threads: runtime.GOMAXPROCS(0), Cores: runtime.NumCPU(),
		Kernels: cpu.Tier(), Available: cpu.Tiers(),
	}
	for _, f := range kernelFeatures {
		if cpuid.CPU.Supports(f) {
			r.Features = append(r.Features, f.String())
		}
	}
	return r
}

func versionCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version, and what it runs on",
		Long: `Shows the version of the program and of Go, the processor with those of its
features that matter here, and which kernels the program computes with: the best
that the processor has, or those that the environment variable LOOKALIKE_CPU
names. With --json it is one object.`,
		Example: `  lookalike version
  LOOKALIKE_CPU=generic lookalike version --json | jq -r .kernels`,
		Args: cli.Arguments(),
		RunE: func(*cobra.Command, []string) error {
			r := newVersionReport()
			if asJSON {
				return a.PrintJSON(r)
			}
			built := ""
			if r.Built != "" {
				built = ", of " + r.Built
			}
			fmt.Fprintf(a.Out, "lookalike  %s%s\n", r.Version, built)
			fmt.Fprintf(a.Out, "go         %s %s\n", r.Go, r.Platform)
			fmt.Fprintf(a.Out, "processor  %s\n", r.Processor)
			fmt.Fprintf(a.Out, "features   %s\n", cmp.Or(strings.Join(r.Features, " "), "none that matter"))
			fmt.Fprintf(a.Out, "threads    %d of %d\n", r.Threads, r.Cores)
			fmt.Fprintf(a.Out, "kernels    %s (of %s)\n", r.Kernels, strings.Join(r.Available, ", "))
			return nil
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
