package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"

	"lookalike/internal/f32"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version, and what it runs on",
		Long: `Shows the version of the program and of Go, the processor, and which kernels
it computes with: the best that the processor has, or those that the environment
variable LOOKALIKE_CPU names.`,
		Args: arguments(),
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(a.out, "lookalike  %s\n", version())
			fmt.Fprintf(a.out, "go         %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			fmt.Fprintf(a.out, "processor  %s\n", cmp.Or(cpuid.CPU.BrandName, "unknown"))
			fmt.Fprintf(a.out, "threads    %d of %d\n", runtime.GOMAXPROCS(0), runtime.NumCPU())
			fmt.Fprintf(a.out, "kernels    %s (of %s)\n", f32.Tier(), strings.Join(f32.Tiers(), ", "))
			return nil
		},
	}
}

// version names the build: a release's number, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	setting := func(key string) string {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
		return ""
	}
	v := "devel"
	if commit := setting("vcs.revision"); commit != "" {
		v += " " + commit[:min(len(commit), 12)]
	}
	if setting("vcs.modified") == "true" {
		v += " (modified)"
	}
	return v
}
