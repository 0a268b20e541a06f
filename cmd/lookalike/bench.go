package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/cpu"
	"lookalike/internal/measure"
	"lookalike/internal/memory"
)

func benchCommand(a *app) *cobra.Command {
	var (
		asJSON  bool
		names   []string
		batches []int
		about   strings.Builder
	)
	for _, t := range measure.Tasks {
		names = append(names, t.Name)
		fmt.Fprintf(&about, "  %-12s %s\n", t.Name, t.About)
	}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine is",
		Long: `Measures the speed of this program's engine on this machine. Each task runs
once to warm up and then several times; the table has the best and the median
time and, as spread, how far the runs lie apart. Times of vgg16 and of the
autoencoder are for one picture, those of knn for one query. All takes about a
minute and 1.5 GB of memory; with a --memory-limit that leaves less, nothing is
measured, and the tasks have to be chosen.

` + about.String() + `
VGG16's weights are random here: they change what it sees, not how fast. For
other kernels than the best, set LOOKALIKE_CPU (see 'lookalike version').`,
		Example: `  lookalike bench
  lookalike bench --task vgg16 --batch 1 --threads 1 --json`,
		Args: cli.Arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if i := slices.IndexFunc(batches, func(b int) bool { return b < 1 || b > maxBenchBatch }); i >= 0 {
				return cli.Usagef("--batch %d: give 1 to %d", batches[i], maxBenchBatch)
			}
			var tasks []measure.Task
			for _, name := range names {
				i := slices.IndexFunc(measure.Tasks, func(t measure.Task) bool { return t.Name == name })
				if i < 0 {
					return cli.Usagef("--task %s: there are %s", name, strings.Trim(cmd.Flag("task").DefValue, "[]"))
				}
				tasks = append(tasks, measure.Tasks[i])
			}
			show := json.NewEncoder(a.Out).Encode
			if !asJSON {
				show = benchTable(a.Out)
			}
			return runBench(cmd, tasks, batches, show)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	flags.StringSliceVar(&names, "task", names, "measure these `TASKS` only")
	flags.IntSliceVar(&batches, "batch", []int{1, 8, 32}, "give vgg16 `N,N` pictures at a time")
	return cmd
}

// maxBenchBatch bounds the memory that --batch can ask for.
const maxBenchBatch = 256

// runBench runs the tasks, if the memory limit leaves what each takes, and shows each row
// when it is there.
func runBench(cmd *cobra.Command, tasks []measure.Task, batches []int, show func(row any) error) error {
	for _, t := range tasks {
		n, err := t.Memory(batches)
		if err != nil {
			return err
		}
		if err := memory.Allows(n); err != nil {
			return fmt.Errorf("the task %s: %w; choose others with --task%s", t.Name, err, map[bool]string{true: ", or smaller ones with --batch"}[t.Name == "vgg16" && slices.Max(batches) > 1])
		}
	}
	for _, t := range tasks {
		runtime.GC() // what the task before needed
		var shown error
		err := t.Run(cmd.Context(), batches, func(r measure.Row) { shown = cmp.Or(shown, show(r)) })
		if err = cmp.Or(err, shown); err != nil {
			return err
		}
	}
	return nil
}

// benchTable prints the head of a table and returns what prints a row of it.
func benchTable(w io.Writer) func(row any) error {
	fmt.Fprintf(w, "%s, %d of %d threads, kernels %s\n\n", cmp.Or(cpuid.CPU.BrandName, "unknown processor"),
		runtime.GOMAXPROCS(0), runtime.NumCPU(), cpu.Tier())
	const format = "%-18s %-21s %8s %9s %6s %s\n"
	fmt.Fprintf(w, format, "task", "size", "best ms", "median ms", "spread", "speed")
	return func(row any) error {
		r := row.(measure.Row)
		speed := ""
		switch {
		case r.GFLOPS > 0:
			speed = fmt.Sprintf("%.0f GFLOP/s", r.GFLOPS)
		case r.GBPerS > 0:
			speed = fmt.Sprintf("%.1f GB/s", r.GBPerS)
		}
		_, err := fmt.Fprintf(w, format, r.Task, r.Shape(), measure.Milliseconds(r.BestMS()), measure.Milliseconds(r.MidMS()), fmt.Sprintf("%.0f%%", 100*r.Spread), speed)
		return err
	}
}
