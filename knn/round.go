package knn

import (
	"context"
	"math"
	"sync"
	"time"

	"lookalike/internal/parallel"
)

// round is the search for some thousand queries. Its memory is kept for the next one.
type round struct {
	x       *Index
	ctx     context.Context // the search's own, for as long as find runs
	sought  [][]float32
	wanted  wanted
	limit   float64 // the key of the wanted radius
	found   [][]Neighbor
	queries []query // of all groups
	factors []float32
	codes   []codeQuery // and their codes, if they are needed
	z       []int8
	groups  []group

	division
	gathered [][]collector // of each group's parts

	made      codes // for the time of a search
	withCodes Index
}

// group is queries that pass over the rows together.
type group struct {
	queries []query
	factors []float32 // [len(queries), d], stride values apart
	stride  int
	sieving sieving
}

var rounds = sync.Pool{New: func() any { return new(round) }}

// forget lets go of what is the caller's.
func (r *round) forget() {
	r.x, r.ctx, r.sought, r.found, r.withCodes = nil, nil, nil, nil, Index{}
	clear(r.queries)
}

// coded returns x with codes for the time of a search, if it is small: several
// groups of queries then share them.
func (r *round) coded(x *Index) *Index {
	if x.codes != nil || x.Len()*x.Dim() > smallCodes {
		return x
	}
	r.made = x.coder().all(r.made)
	r.withCodes = *x
	r.withCodes.codes = &r.made
	return &r.withCodes
}

// division is how queries and rows are dealt out to goroutines: groups of queries, and
// for each group parts of the rows.
type division struct {
	pass                func(x *Index, ctx context.Context, g *group, w *workspace, c []collector, lo, hi int) // of a group over rows
	coding              coding
	alone               time.Duration // what the passes take one goroutine, about
	groups, size, parts int
	shared              bool // the parts of a group take tiles by turns from the same rows, all of them
}

// coding says what the codes of queries are needed for.
type coding int

const (
	notCoded coding = iota
	oneByOne        // they are tested so
	allTogether
)

// passGrain is what passes should take for each goroutine that shares them.
const passGrain = 50 * time.Microsecond

func (x *Index) divide(queries int) division {
	most, rate := 0, 0 // values a nanosecond that are compared with a query, where they come from a cache
	var v division
	switch {
	case x.sieves(queries):
		v.pass, v.coding, most, rate = (*Index).sieve, allTogether, sieveQueries, 32
	case x.codes != nil && queries < filterQueries:
		v.pass, v.coding, most, rate = (*Index).sieve, oneByOne, scanQueries, 32
	case queries < scanQueries:
		v.pass, v.coding, most, rate = (*Index).scan, notCoded, scanQueries, 8
	default:
		v.pass, v.coding, most, rate = (*Index).multiply, notCoded, groupQueries, 16
	}
	v.alone = time.Duration(queries * x.Len() * x.Dim() / rate)
	procs := max(1, min(parallel.Goroutines(v.alone), int(v.alone/passGrain)))
	v.groups = (queries + most - 1) / most
	if v.coding == allTogether && x.codes != nil { // nothing is made for each group anew, and it knows its limits alone
		v.groups = (v.groups + procs - 1) / procs * procs
	}
	v.size = (queries + v.groups - 1) / v.groups
	switch {
	case procs == 1:
		v.parts = 1
	case v.coding == notCoded: // more parts than goroutines, so that all end together
		v.parts = min(x.tiles(), max(1, 4*procs/v.groups))
	case v.groups >= 2*procs || v.groups%procs == 0:
		v.parts = 1
	default:
		v.parts, v.shared = min(x.tiles(), procs), true
	}
	return v
}

// rows returns from and up to which row a part passes.
func (v division) rows(x *Index, part int) (lo, hi int) {
	if v.shared {
		return 0, x.Len()
	}
	tiles := (x.tiles() + v.parts - 1) / v.parts
	return part * tiles * tileRows, min(x.Len(), (part+1)*tiles*tileRows)
}

var steps parallel.Loop[*round]

// find finds the neighbours of queries, and writes them to found.
func (r *round) find(ctx context.Context, x *Index, queries [][]float32, w wanted, found [][]Neighbor) {
	r.x, r.ctx, r.sought, r.wanted, r.limit, r.found = x, ctx, queries, w, x.keyOf(w.radius), found
	r.division = x.divide(len(queries))
	r.layOut()
	each := time.Duration(2 * x.Dim())
	steps.Spans(len(queries), 64, time.Duration(len(queries))*each, r, (*round).prepare)
	steps.For(len(r.gathered), r.alone, r, (*round).passOver)
	if r.parts > 1 {
		steps.For(len(queries), time.Duration(len(queries)*min(w.most, x.Len()))*each, r, (*round).merge)
	}
}

// layOut makes room for all that is known of the queries and found.
func (r *round) layOut() {
	n, d := len(r.sought), r.x.Dim()
	stride := d + 16 // not a whole number of pages
	r.queries, r.factors = grow(r.queries, n), grow(r.factors, n*stride)
	if r.coding != notCoded {
		r.codes, r.z = grow(r.codes, n), grow(r.z, n*r.x.coder().rowBytes())
	}
	r.groups, r.gathered = grow(r.groups, r.division.groups), grow(r.gathered, r.division.groups*r.parts)
	for i := range r.groups {
		g, lo, hi := &r.groups[i], min(i*r.size, n), min((i+1)*r.size, n)
		g.queries, g.factors, g.stride = r.queries[lo:hi], r.factors[lo*stride:hi*stride], stride
		if r.coding != notCoded {
			g.sieving.begin(hi-lo, d, r.coding == allTogether, r.shared, r.limit)
		}
	}
}

// prepare computes what is needed of some queries.
func (r *round) prepare(lo, hi int) {
	work := workspaces.Get().(*workspace)
	defer workspaces.Put(work)
	x, d := r.x, r.x.Dim()
	for i := lo; i < hi; i++ {
		v, q, g := r.sought[i], &r.queries[i], &r.groups[i/r.size]
		*q = query{v: v, square: dot(v, v), factor: g.factors[i%r.size*g.stride:][:d]}
		q.length = math.Sqrt(q.square) * (1 + 1e-9)
		turn := -1.0
		if x.metric == Cosine {
			q.scale = scale(v)
			turn = -q.scale
		}
		for j, value := range v {
			q.factor[j] = float32(turn * float64(value))
		}
		if r.coding == notCoded {
			continue
		}
		coder := x.coder()
		work.block = grow(work.block, coder.blockBytes())
		if !coder.encode(&r.codes[i], q, r.z[i*coder.rowBytes():][:coder.rowBytes()], work.block) {
			continue
		}
		q.code = &r.codes[i]
		if r.coding == oneByOne {
			q.code.bounds.Set(q.code.z)
		} else {
			g.sieving.codes.Set(i%r.size, q.code.z)
		}
	}
}

// passOver lets a group pass over a part of the rows.
func (r *round) passOver(i int) {
	if r.ctx.Err() != nil {
		return
	}
	x, g, first := r.x, &r.groups[i/r.parts], i/r.parts*r.size
	if len(g.queries) == 0 {
		return
	}
	work := workspaces.Get().(*workspace)
	defer workspaces.Put(work)
	c := &work.collectors
	if r.parts > 1 { // they are needed when all parts are done
		c = &r.gathered[i]
	}
	*c = grow(*c, len(g.queries))
	list := *c
	for j := range list {
		list[j].reset(x, &g.queries[j], r.wanted, first+j, r.limit)
		list[j].shared = r.shared
	}
	lo, hi := r.rows(x, i%r.parts)
	if r.wanted.after >= 0 { // rows of queries come with them
		lo = max(lo, (first+r.wanted.after+1)/tileRows*tileRows)
	}
	if lo < hi {
		r.pass(x, r.ctx, g, work, list, lo, hi)
	}
	if r.parts > 1 {
		return
	}
	for j := range list {
		if r.ctx.Err() != nil { // a result may be as long as the index
			return
		}
		r.found[first+j] = x.result(&g.queries[j], &list[j])
	}
}

// merge puts together what the parts' collectors have found for a query.
func (r *round) merge(i int) {
	if r.ctx.Err() != nil {
		return
	}
	parts, j := r.gathered[i/r.size*r.parts:][:r.parts], i%r.size
	c := &parts[0][j]
	for _, part := range parts[1:] {
		c.limit = min(c.limit, part[j].limit)
		c.found = append(c.found, part[j].found...)
	}
	r.found[i] = r.x.result(&r.queries[i], c)
}

// result returns what a collector has found when all rows have been seen.
func (x *Index) result(q *query, c *collector) []Neighbor {
	c.tighten()
	x.sharpen(q, c)
	return c.neighbors()
}
