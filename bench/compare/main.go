// Command compare lays this engine's speed beside others' on the machine that it
// runs on: ours and each of theirs in turn, a process each, in several rounds.
//
//	peers/setup.sh                                       makes the Python environment
//	python peers/vgg_full.py NOTOP.h5 DIR                writes VGG16 for the others
//	go -C bench run ./search -make -data VECTORS         writes vectors to search
//	go -C bench run ./compare -python PYTHON -peers PEERS -vgg DIR -data VECTORS
//
// Each measurement is appended as a line of JSON to raw/DATE-CPU.jsonl, and
// RESULTS.md is written anew from the last run of each group in that file, and so
// are the tables in docs/speed.md and README.md, so groups may be run one at a time with
// -only; -list shows them. With -rounds 0 nothing is run and only the tables are written.
//
// Nothing else should run meanwhile. Engines that are not installed are named in
// the table.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"lookalike/internal/atomicfile"
	"lookalike/internal/cpu"
)

func main() {
	log.SetFlags(0)
	var c config
	flag.StringVar(&c.python, "python", "python3", "Python `program` with the engines to compare with")
	flag.StringVar(&c.peers, "peers", "../../shared/peers", "`folder` of their scripts")
	flag.StringVar(&c.vgg, "vgg", "", "`folder` that vgg_full.py wrote")
	flag.StringVar(&c.data, "data", "", "`folder` that search -make wrote")
	flag.StringVar(&c.photos, "photos", "../../shared/caltech101", "`folder` of photographs to index, in a folder for each class")
	pictures := flag.Int("pictures", 0, "index so many of them, evenly spaced (default all)")
	flag.IntVar(&c.threads, "threads", runtime.NumCPU(), "processors to use; products run with one, too")
	flag.StringVar(&c.tiers, "tiers", "best,avx2", "our kernels to measure: `names` as in LOOKALIKE_CPU, or best")
	rounds := flag.Int("rounds", 5, "how often each is run")
	only := flag.String("only", "^(gemm|vgg16 batch (1|32)$|autoencoder)", "groups to run, a regular `expression`; . for all")
	list := flag.Bool("list", false, "list the groups and end")
	raw := flag.String("raw", "", "`file` of the raw numbers (default raw/DATE-CPU.jsonl)")
	table := flag.String("o", "RESULTS.md", "`file` to write all tables to")
	speed := flag.String("speed", "../docs/speed.md", "`file` whose marked table is replaced by the summary")
	readme := flag.String("readme", "../README.md", "`file` whose marked table is replaced by a few rows of it")
	flag.Parse()
	c.available = cpu.Tiers()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		log.Fatalf("-only: %v", err)
	}
	if *list {
		for _, g := range groups(c) {
			fmt.Println(g.name)
		}
		return
	}
	if err := run(ctx, c, pattern, *rounds, *pictures, *raw, *table, *speed, *readme); err != nil {
		log.Fatalf("compare: %v", err)
	}
}

func run(ctx context.Context, c config, only *regexp.Regexp, rounds, pictures int, raw, table, speed, readme string) error {
	if raw == "" {
		name := regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(cpuName(), "-")
		raw = filepath.Join("raw", time.Now().Format("2006-01-02")+"-"+strings.Trim(name, "-")+".jsonl")
	}
	if rounds > 0 {
		if err := measureGroups(ctx, c, only, rounds, pictures, raw); err != nil {
			return err
		}
	}
	records, err := readRecords(raw)
	if err != nil {
		return err
	}
	groups, err := lastRuns(records)
	if err != nil {
		return fmt.Errorf("%s: %w", raw, err)
	}
	if err := writeText(table, report(groups, raw)); err != nil {
		return err
	}
	if err := writeTable(speed, summary(groups, nil)); err != nil {
		return err
	}
	return writeTable(readme, summary(groups, inReadme))
}

// writeTable replaces the marked table of a file.
func writeTable(path, table string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := replaceTable(string(old), table)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeText(path, text)
}

func writeText(path, text string) error {
	return atomicfile.Write(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

// measureGroups builds our programs, checks that results agree, and runs the
// chosen groups.
func measureGroups(ctx context.Context, c config, only *regexp.Regexp, rounds, pictures int, raw string) error {
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, program := range map[string]*string{"lookalike": &c.lookalike, "goengines": &c.goEngines, "agree": &c.agree, "search": &c.search, "indexing": &c.indexing, "small": &c.small} {
		*program = filepath.Join(dir, name)
	}
	if pictures > 0 {
		if c.photos, err = some(c.photos, pictures, filepath.Join(dir, "photos")); err != nil {
			return err
		}
	}
	for _, build := range [][]string{
		{"go", "-C", "..", "build", "-o", c.lookalike, "./cmd/lookalike"},
		{"go", "build", "-o", c.goEngines, "./goengines"},
		{"go", "build", "-o", c.agree, "./agree"},
		{"go", "build", "-o", c.search, "./search"},
		{"go", "build", "-o", c.indexing, "./indexing"},
		{"go", "build", "-o", c.small, "./small"},
	} {
		cmd := exec.CommandContext(ctx, build[0], build[1:]...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(build, " "), err)
		}
	}
	c.networks = dir
	var chosen []group
	for _, g := range groups(c) {
		if only.MatchString(g.name) {
			chosen = append(chosen, g)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("-only %s fits no group; -list shows them", only)
	}
	m, err := describe(ctx, c)
	if err != nil {
		return err
	}
	if err := productsAgree(ctx, c.python, dir); err != nil {
		return err
	}
	m.Agreement = append(m.Agreement, "matrix products agree with NumPy's up to rounding")
	if slices.ContainsFunc(chosen, func(g group) bool { return strings.HasPrefix(g.name, "vgg16") }) {
		found, err := networksAgree(ctx, c)
		if err != nil {
			return err
		}
		m.Agreement = append(m.Agreement, found...)
	}
	if slices.ContainsFunc(chosen, func(g group) bool { return strings.HasPrefix(g.name, "small") }) {
		if out, err := exec.CommandContext(ctx, c.small, "-export", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("small networks cannot be exported: %w: %s", err, out)
		}
		m.Agreement = append(m.Agreement, "small networks: ONNX Runtime's results are within 1e-5 of ours by norm, or it fails")
	}
	log.Print(strings.Join(m.Agreement, "\n"))
	log.Printf("load %s; figures are worth keeping below 0.5", m.Load)

	if err := os.MkdirAll(filepath.Dir(raw), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(raw, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	start := time.Now().Format(time.DateTime)
	write := func(r record) error { r.Run = start; return r.append(file) }
	if err := write(record{Machine: &m}); err != nil {
		return err
	}
	for _, g := range chosen {
		if err := g.run(ctx, rounds, write); err != nil {
			return err
		}
	}
	return file.Close()
}

// some makes a folder of links to n of the photographs, evenly spaced.
func some(photos string, n int, dir string) (string, error) {
	photos, err := filepath.Abs(photos)
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(photos, "*", "*"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no photographs in the folders of %s (%v)", photos, err)
	}
	n = min(n, len(files))
	for k := range n {
		file := files[k*len(files)/n]
		class := filepath.Join(dir, filepath.Base(filepath.Dir(file)))
		if err := os.MkdirAll(class, 0o755); err != nil {
			return "", err
		}
		if err := os.Symlink(file, filepath.Join(class, filepath.Base(file))); err != nil {
			return "", err
		}
	}
	return dir, nil
}
