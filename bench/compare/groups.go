package main

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// config says what there is to run, and how.
type config struct {
	python, peers, vgg, data string
	photos                   string // to be indexed

	lookalike, goEngines, agree, search, indexing, small string // our programs, built
	networks                                             string // folder that small exports to

	threads   int
	tiers     string   // of ours to measure
	available []string // tiers that the processor has, best first
}

// ourTiers lists our kernels to measure, as LOOKALIKE_CPU names them; "" is the
// best. What the processor lacks is left out.
func (c config) ourTiers() []string {
	var tiers []string
	for t := range strings.SplitSeq(c.tiers, ",") {
		switch {
		case t == "best" || t == c.available[0]:
			t = ""
		case !slices.Contains(c.available, t):
			continue
		}
		if !slices.Contains(tiers, t) {
			tiers = append(tiers, t)
		}
	}
	return tiers
}

// A group is work that ours and others do in turn.
type group struct {
	name        string
	contestants []contestant // ours first
}

// contestant is a program that prints measurements as lines of JSON.
type contestant struct {
	who     string
	command []string
	env     []string
}

// ourName begins the names of our contestants, and prefiltered ends that of the search
// with codes.
const (
	ourName     = "lookalike"
	prefiltered = " prefiltered"
)

// searched are the sets of vectors that search makes.
var searched = []string{"noise128", "mixture128", "noise512", "photographs512", "noise4096", "noise32", "pca-falling", "pca-noise"}

// groups lists all there is. Each name is what -only is matched with and the
// heading of a table.
func groups(c config) []group {
	all := strconv.Itoa(c.threads)
	script := func(name string, args ...string) []string {
		return append([]string{c.python, filepath.Join(c.peers, name+".py")}, args...)
	}
	ours := func(threads string, args ...string) []contestant {
		var list []contestant
		for _, tier := range c.ourTiers() {
			one := contestant{who: ourName, command: append([]string{c.lookalike, "bench", "--json", "--threads", threads}, args...)}
			one.who = strings.TrimSpace(one.who + " " + tier)
			one.env = []string{"LOOKALIKE_CPU=" + tier}
			list = append(list, one)
		}
		return list
	}
	var list []group
	add := func(name string, ours []contestant, theirs ...contestant) {
		list = append(list, group{name, append(ours, theirs...)})
	}
	// Products run with the processor's limits, which they are held against.
	threads := []string{"1", all}
	if c.threads == 1 {
		threads = threads[:1]
	}
	for _, n := range threads {
		add("gemm threads "+n, ours(n, "--task", "limits,gemm"), contestant{who: "openblas", command: script("gemm", n)})
	}
	for _, batch := range []string{"1", "8", "32"} {
		engines := []string{"ort", "ov", "tf", "mnn"}
		if batch == "1" {
			engines = append(engines, "ncnn") // takes one picture at a time
		}
		var theirs []contestant
		for _, e := range engines {
			theirs = append(theirs, contestant{who: e, command: script("vgg", e, all, c.vgg, batch)})
		}
		add("vgg16 batch "+batch, ours(all, "--task", "vgg16", "--batch", batch), theirs...)
	}
	add("autoencoder", ours(all, "--task", "autoencoder"),
		contestant{who: "tf", command: script("autoencoder", "tf", all)},
		contestant{who: "torch", command: script("autoencoder", "torch", all)})
	for _, n := range threads {
		theirs := contestant{who: "ort", command: []string{c.python, "small/small.py", c.networks, n}}
		add("small threads "+n, ours(n, "--task", "small"), theirs)
		beside := []string{c.small, "-beside"}
		list := ours(n, "--task", "small")
		for i := range list {
			list[i].command = append(beside[:2:2], list[i].command...)
		}
		theirs.command = append(beside[:2:2], theirs.command...)
		add("small threads "+n+" beside a busy process", list, theirs)
	}
	for _, set := range searched {
		search := func(who string, args ...string) contestant {
			return contestant{who: who, command: append(append([]string{c.search, "-data", c.data, "-threads", all}, args...), set)}
		}
		// The script is beside this program's sources, where it is run.
		theirs := contestant{who: "faiss flat", command: []string{c.python, "search/flat.py", c.data, all, set}}
		if strings.HasPrefix(set, "pca") {
			theirs.who = "scikit-learn"
			add("knn "+set, []contestant{search(ourName)}, theirs)
		} else {
			add("knn "+set, []contestant{search(ourName), search(ourName+prefiltered, "-prefilter")}, theirs)
		}
	}
	for _, network := range []string{"vgg16", "autoencoder"} {
		engines := []string{"ort", "ov", "tf", "mnn"}
		if network == "autoencoder" {
			engines = []string{"tf", "torch"}
		}
		weights := filepath.Join(c.vgg, "vgg16_weights_tf_dim_ordering_tf_kernels.h5")
		ours := []contestant{{who: ourName, command: []string{c.indexing, c.lookalike, network, all, c.photos, weights}}}
		var theirs []contestant
		for _, e := range engines {
			theirs = append(theirs, contestant{who: e, command: []string{c.python, "indexing/index.py", network, e, all, c.photos, c.vgg}})
		}
		add("index "+network, ours, theirs...)
	}
	add("products in Go", ours(all, "--task", "gemm"),
		contestant{who: "gonum", command: []string{c.goEngines, "gonum", all}},
		contestant{who: "gomlx", command: []string{c.goEngines, "gomlx", all}})
	return list
}
