package main

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"lookalike/internal/measure"
)

// results is what one run of a group gave.
type results struct {
	group, run string
	machine    *machine
	who        []string                           // contestants, ours first
	keys       []string                           // kinds of work, in order of appearance
	rows       map[string]map[string][]roundOfRow // by contestant and key
	failures   []string
}

type roundOfRow struct {
	round int
	measure.Row
}

// lastRuns sorts records by group and keeps the last run of each.
func lastRuns(records []record) ([]*results, error) {
	var list []*results
	machines := map[string]*machine{}
	for _, r := range records {
		if r.Machine != nil {
			machines[r.Run] = r.Machine
			continue
		}
		i := slices.IndexFunc(list, func(g *results) bool { return g.group == r.Group })
		if i < 0 {
			i = len(list)
			list = append(list, &results{group: r.Group})
		}
		g := list[i]
		if g.run != r.Run {
			*g = results{group: r.Group, run: r.Run, machine: machines[r.Run], rows: map[string]map[string][]roundOfRow{}}
		}
		if r.Failure != "" {
			g.failures = append(g.failures, r.Who+": "+r.Failure)
			continue
		}
		row, err := parseRow(r.Row)
		if err != nil {
			return nil, err
		}
		key := row.Key()
		if g.rows[r.Who] == nil {
			g.rows[r.Who] = map[string][]roundOfRow{}
			g.who = append(g.who, r.Who)
		}
		if !slices.Contains(g.keys, key) {
			g.keys = append(g.keys, key)
		}
		g.rows[r.Who][key] = append(g.rows[r.Who][key], roundOfRow{r.Round, row})
	}
	return list, nil
}

// ours and theirs are the contestants of the group.
func (g *results) ours() []string   { return g.named(true) }
func (g *results) theirs() []string { return g.named(false) }

func (g *results) named(ours bool) []string {
	var list []string
	for _, who := range g.who {
		if strings.HasPrefix(who, ourName) == ours {
			list = append(list, who)
		}
	}
	return list
}

// stat is a figure over the rounds.
type stat struct{ median, min, max float64 }

// newStat takes at least one value.
func newStat(values iter.Seq[float64]) stat {
	s := slices.Sorted(values)
	n := len(s)
	return stat{(s[(n-1)/2] + s[n/2]) / 2, s[0], s[n-1]}
}

func statOf(rows []roundOfRow, f func(measure.Row) float64) stat {
	var values []float64
	for _, r := range rows {
		values = append(values, f(r.Row))
	}
	return newStat(slices.Values(values))
}

// pairs calls f for the rows of two series that are of one round, and returns the
// values by round.
func pairs(a, b []roundOfRow, f func(a, b measure.Row) float64) map[int]float64 {
	values := map[int]float64{}
	for _, x := range a {
		for _, y := range b {
			if x.round == y.round {
				values[x.round] = f(x.Row, y.Row)
			}
		}
	}
	return values
}

// faster is how many times as fast a was as b.
func faster(a, b measure.Row) float64 { return b.BestMS() / a.BestMS() }

func report(groups []*results, raw string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Side by side

Written by compare from [%s](%s); not to be changed by hand.

Each engine ran as a process of its own, in turn with the others, in every round. A round's
figure is the best of its runs, warm; times are medians over the rounds. "Times as fast" is their time
divided by ours within a round: its median, and the range over the rounds. "The fastest" is whoever of the
others was that in a round. A target holds for the median. Single precision everywhere; pictures are random,
and so are our weights, while others read VGG16's from a file. Times are for one picture (vgg16, autoencoder, index),
one query (knn) or one product. Peak memory is that of the whole process.
Indexing is files to neighbours of all: ours from the start of the process to its end, theirs without imports, loading and a
first batch (bench/indexing).
`, filepath.Base(raw), filepath.ToSlash(raw))
	var last *machine
	for _, g := range groups {
		g.write(&b, g.machine != last)
		last = g.machine
	}
	return b.String()
}

// write adds the group's tables, and the machine if it is another than before.
func (g *results) write(b *strings.Builder, newMachine bool) {
	fmt.Fprintf(b, "\n## %s\n\n", g.group)
	if m := g.machine; m != nil && newMachine {
		fmt.Fprintf(b, "%s, %s: %d cores, caches %s, %s, load %s; ours: commit %s, %s, kernels %s; theirs: %s.\n\n", g.run, m.CPU, m.Cores,
			m.Caches, m.System, m.Load, m.Commit, m.Go, strings.Join(m.Kernels, ", "), strings.Join(m.Versions, ", "))
		for _, a := range m.Agreement {
			fmt.Fprintf(b, "- %s\n", a)
		}
	}
	for _, f := range g.failures {
		fmt.Fprintf(b, "\nNot measured: %s\n", f)
	}
	g.writeRatios(b)
	g.writeShares(b)
	g.writeMemory(b)
}

func (g *results) writeRatios(b *strings.Builder) {
	var lines []string
	for _, us := range g.ours() {
		for _, key := range g.keys {
			ours := g.rows[us][key]
			for _, them := range g.opponents(key) {
				ratios := pairs(ours, g.of(them, key), faster)
				if len(ratios) == 0 {
					continue
				}
				lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", key, us, measure.Milliseconds(statOf(ours, measure.Row.BestMS).median),
					them, measure.Milliseconds(statOf(g.of(them, key), measure.Row.BestMS).median), verdict(newStat(maps.Values(ratios)), target(us, them, ours[0].Row))))
			}
		}
		for _, them := range g.theirs() {
			if means := g.productMeans(us, them); len(means) > 0 {
				lines = append(lines, fmt.Sprintf("| **all products, geometric mean** | %s | | %s | | %s |\n", us, them, verdict(newStat(slices.Values(means)), meanTarget(us, them))))
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprint(b, "\n| work | ours | ms | other | ms | times as fast | range | target | |\n|---|---|---:|---|---:|---:|---|---:|---|\n", strings.Join(lines, ""))
	}
}

// of returns who's rows of that work, where who may be [fastest].
func (g *results) of(who, key string) []roundOfRow {
	if who == fastest {
		return g.fastest(key)
	}
	return g.rows[who][key]
}

// productMeans returns the geometric mean over all products, of each round, of
// how many times as fast we were as them.
func (g *results) productMeans(us, them string) []float64 {
	byRound := map[int][]float64{}
	for _, key := range g.keys {
		if !strings.HasPrefix(key, "gemm ") {
			continue
		}
		for round, ratio := range pairs(g.rows[us][key], g.rows[them][key], faster) {
			byRound[round] = append(byRound[round], ratio)
		}
	}
	var means []float64
	for _, ratios := range byRound {
		means = append(means, geometricMean(ratios))
	}
	return means
}

// fastest stands for whoever of the others was the fastest in each round.
const fastest = "the fastest"

// opponents lists whom ours is laid beside: who else did the work, and of two or
// more the fastest.
func (g *results) opponents(key string) []string {
	list := g.competitors(key)
	if len(list) > 1 {
		list = append(list, fastest)
	}
	return list
}

// competitors lists who else did the work.
func (g *results) competitors(key string) []string {
	return slices.DeleteFunc(g.theirs(), func(who string) bool { return len(g.rows[who][key]) == 0 })
}

// fastest returns the fastest other's row of each round.
func (g *results) fastest(key string) []roundOfRow {
	var list []roundOfRow
	for _, who := range g.theirs() {
		for _, r := range g.rows[who][key] {
			i := slices.IndexFunc(list, func(other roundOfRow) bool { return other.round == r.round })
			switch {
			case i < 0:
				list = append(list, r)
			case r.BestMS() < list[i].BestMS():
				list[i] = r
			}
		}
	}
	return list
}

// writeShares lays products beside what bounds them: one row beside the read
// bandwidth, others beside the micro-kernel's rate. Both are measured by the same
// process.
func (g *results) writeShares(b *strings.Builder) {
	var lines []string
	for _, us := range g.ours() {
		var bandwidth, kernel []roundOfRow
		for _, key := range g.keys {
			rows := g.rows[us][key]
			if len(rows) == 0 {
				continue
			}
			switch r := rows[0]; {
			case r.Task == "read bandwidth":
				bandwidth = rows
				lines = append(lines, fmt.Sprintf("| %s | %s | %.1f GB/s | | | | |\n", key, us, statOf(rows, func(r measure.Row) float64 { return r.GBPerS }).median))
			case r.Task == "micro-kernel":
				kernel = rows
				lines = append(lines, fmt.Sprintf("| %s | %s | %.0f GFLOP/s | | | | |\n", key, us, statOf(rows, gflops).median))
			case r.M == 1 && bandwidth != nil:
				shares := pairs(rows, bandwidth, func(r, limit measure.Row) float64 { return readGBPerS(r) / limit.GBPerS })
				lines = append(lines, fmt.Sprintf("| %s | %s | %.1f GB/s | %s |\n", key, us, statOf(rows, readGBPerS).median, verdict(newStat(maps.Values(shares)), shareTarget(us, r.Row))))
			case r.M > 1 && kernel != nil:
				shares := pairs(rows, kernel, func(r, limit measure.Row) float64 { return r.GFLOPS / limit.GFLOPS })
				lines = append(lines, fmt.Sprintf("| %s | %s | %.0f GFLOP/s | %s |\n", key, us, statOf(rows, gflops).median, verdict(newStat(maps.Values(shares)), shareTarget(us, r.Row))))
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprint(b, "\n| work | ours | rate | share of the bound | range | target | |\n|---|---|---:|---:|---|---:|---|\n", strings.Join(lines, ""))
	}
}

func gflops(r measure.Row) float64 { return r.GFLOPS }

// readGBPerS is how fast a product of one row reads its matrix.
func readGBPerS(r measure.Row) float64 { return 4 * float64(r.N) * float64(r.K) / r.BestMS() / 1e6 }

// writeMemory tells the peak memory of the networks' processes.
func (g *results) writeMemory(b *strings.Builder) {
	var lines []string
	for _, key := range g.keys {
		for _, who := range g.who {
			rows := g.rows[who][key]
			if len(rows) == 0 || rows[0].Task != "vgg16" && rows[0].Task != "autoencoder train" {
				continue
			}
			s := statOf(rows, func(r measure.Row) float64 { return float64(r.MaxRSSMB) })
			limit, met := "", ""
			if most := memoryTarget(who, rows[0].Row); most > 0 {
				limit, met = fmt.Sprintf("at most %d", most), yesNo(s.median <= float64(most))
			}
			lines = append(lines, fmt.Sprintf("| %s | %s | %.0f | %.0f–%.0f | %s | %s |\n", key, who, s.median, s.min, s.max, limit, met))
		}
	}
	if len(lines) > 0 {
		fmt.Fprint(b, "\n| work | engine | peak memory, MB | range | target | |\n|---|---|---:|---|---:|---|\n", strings.Join(lines, ""))
	}
}

// verdict writes four cells: median, range, the least it must be, and whether it
// is.
func verdict(s stat, least float64) string {
	cells := fmt.Sprintf("%.2f | %.2f–%.2f | ", s.median, s.min, s.max)
	if least == 0 {
		return cells + "| "
	}
	return cells + fmt.Sprintf("%.2f | %s", least, yesNo(s.median >= least))
}

func yesNo(met bool) string {
	if met {
		return "met"
	}
	return "**not met**"
}

func geometricMean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
