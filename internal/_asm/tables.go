package main

import (
	"fmt"
	"go/format"
	"log"
	"strings"
)

// made is a kernel that was emitted.
type made struct{ name, signature string }

// set is what the tables tell of an instruction set.
type set struct {
	name      string // what kernels' names end with
	tier      string
	lanes     int // float32 values in a register
	mr, nrv   int // rows and vectors of the largest tile
	transpose string
	wrapped   []made // what package f32 wraps
	panel     int    // columns of vecMat
	reading   bool   // there are tiles that read B in place
	inPlace   bool   // and it is worth it to leave it there
	ahead     []int  // steps of tiles that pack
	kernels   bool   // there are transforms of winograd's kernels
}

var (
	avx512Set = set{name: "AVX512", tier: "avx512", lanes: 16, mr: 14, nrv: 2, transpose: "transpose8AVX",
		reading: true, inPlace: true, ahead: []int{6}, kernels: true}
	avx2Set = set{name: "AVX2", tier: "avx2", lanes: 8, mr: 6, nrv: 2, transpose: "transpose8AVX",
		reading: true, ahead: []int{6, 10}, kernels: true}
	neonSet = set{name: "NEON", tier: "neon", lanes: lanes, mr: mr, nrv: nrv, transpose: "transpose8NEON"}
)

// f32Tables returns the tables of package f32: the type of those kernels that every
// set has, and of each set them.
func f32Tables(sets ...*set) string {
	var b strings.Builder
	b.WriteString("\n// assembly are a set's vector kernels, which take lengths and pointers.\ntype assembly struct {\n")
	for _, k := range sets[0].wrapped {
		fmt.Fprintf(&b, "%s %s\n", k.name, k.signature)
	}
	b.WriteString("lanes int // values in a register\npanel int // columns of vecMat\n}\n")
	for _, s := range sets {
		fmt.Fprintf(&b, "\nvar assembly%s = assembly{\n", s.name)
		for _, k := range s.wrapped {
			fmt.Fprintf(&b, "%s: %s%s,\n", k.name, k.name, s.name)
		}
		fmt.Fprintf(&b, "lanes: %d,\npanel: %d,\n}\n", s.lanes, s.panel)
	}
	return b.String()
}

// tileTables returns those of package tile: each set's micro-kernel.
func tileTables(sets ...*set) string {
	var b strings.Builder
	for _, s := range sets {
		nr := s.nrv * s.lanes
		fmt.Fprintf(&b, "\nvar kernel%s = Kernel{\nName: \"%s %dx%d\", MR: %d, NR: %d,\n", s.name, s.tier, s.mr, nr, s.mr, nr)
		fmt.Fprintf(&b, "packRows: packRows%s, packNarrow: packNarrow%s, transpose8: %s,\n", s.name, s.name, s.transpose)
		b.WriteString("tiles: [][]tile{\n")
		for rows := 1; rows <= s.mr; rows++ {
			b.WriteString("{")
			for vecs := 1; vecs <= s.nrv; vecs++ {
				fmt.Fprintf(&b, "tile%dx%d%s, ", rows, vecs, s.name)
			}
			b.WriteString("},\n")
		}
		b.WriteString("},\n")
		if s.reading {
			fmt.Fprintf(&b, "reading: []readingTile{%s},\ninPlace: %t,\n", s.byRows("readingTile"), s.inPlace)
		}
		if s.ahead != nil {
			b.WriteString("ahead: []aheadTiles{\n")
			for _, steps := range s.ahead {
				fmt.Fprintf(&b, "{%d, []aheadTile{%s}},\n", steps, s.byRows(fmt.Sprintf("ahead%dTile", steps)))
			}
			b.WriteString("},\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// byRows lists a kernel for each number of rows.
func (s *set) byRows(name string) string {
	var list []string
	for rows := 1; rows <= s.mr; rows++ {
		list = append(list, fmt.Sprintf("%s%d%s", name, rows, s.name))
	}
	return strings.Join(list, ", ")
}

// noTables is for packages that name each kernel themselves.
func noTables(...*set) string { return "" }

// winogradTables returns those of package winograd.
func winogradTables(sets ...*set) string {
	var b strings.Builder
	for _, s := range sets {
		fmt.Fprintf(&b, "\nvar transforms%s = transforms{\nlanes: %d,\n", s.name, s.lanes)
		for _, k := range [][2]string{{"kernel", "kernelKernel"}, {"input", "inputKernel"}, {"output", "outputKernel"}, {"outputPool", "outputKernel"}} {
			if k[0] != "kernel" || s.kernels {
				fmt.Fprintf(&b, "%s: [...]%s{%s2%s, %s4%s},\n", k[0], k[1], k[0], s.name, k[0], s.name)
			}
		}
		fmt.Fprintf(&b, "gradient: gradient4%s,\n}\n", s.name)
	}
	return b.String()
}

// formatted returns a Go file as gofmt would have it.
func formatted(text string) []byte {
	out, err := format.Source([]byte(text))
	if err != nil {
		log.Fatalf("%v in\n%s", err, text)
	}
	return out
}
