package main

import (
	"strings"

	"lookalike/internal/measure"
)

// target returns how many times as fast as another engine ours must be, or 0
// where no aim was set. To beat the fastest of several by a factor is to beat each
// of them by it.
func target(us, them string, row measure.Row) float64 {
	network := row.Task == "vgg16" || strings.HasPrefix(row.Task, "autoencoder")
	one, clustered := row.Queries == 1, row.Data != ""
	switch {
	case row.Task == "knn" && one && row.D == 4096:
		return 0
	case us == ourName+prefiltered && one && clustered, us == ourName+prefiltered && row.Queries == 1000:
		return 4
	case us == ourName+prefiltered && row.D == 32:
		return 3
	case us == ourName+" avx2" && network:
		return 1 // they use AVX-512 where the processor has it
	case us != ourName:
		return 0
	case row.Task == "gemm" && them == "openblas":
		return 1
	case row.Task == "vgg16" && row.Batch == 1:
		return 1.5
	case row.Task == "vgg16" && row.Batch == 32 && them == "mnn":
		return 1.3
	case row.Task == "vgg16" && row.Batch == 32 && them != fastest:
		return 1.7
	case strings.HasPrefix(row.Task, "autoencoder"):
		return 1.5
	case row.Task == "knn" && one:
		return 1.8
	case row.Task == "knn" && row.D == 32:
		return 3
	case row.Task == "knn":
		return 4
	case strings.HasPrefix(row.Task, "index vgg16"):
		return 1.5
	case strings.HasPrefix(row.Task, "index autoencoder"):
		return 1.3
	case strings.HasPrefix(row.Task, "pca"):
		return 1
	}
	return 0
}

// meanTarget is what the geometric mean over all products must be.
func meanTarget(us, them string) float64 {
	if us == ourName && them == "openblas" {
		return 1.2
	}
	return 0
}

// shareTarget returns what share of its bound a product must reach: one row of
// the read bandwidth, others of the micro-kernel's own rate, with AVX2.
func shareTarget(us string, row measure.Row) float64 {
	if row.M == 1 && us == ourName || row.M > 1 && us == ourName+" avx2" {
		return 0.85
	}
	return 0
}

// memoryTarget returns how many MB a process may hold at most, or 0.
func memoryTarget(who string, row measure.Row) int {
	switch {
	case !strings.HasPrefix(who, ourName):
		return 0
	case row.Task == "vgg16" && row.Batch == 1:
		return 800
	case row.Task == "autoencoder train":
		return 1000
	}
	return 0
}
