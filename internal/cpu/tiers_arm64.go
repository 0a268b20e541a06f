//go:build !purego

package cpu

// archTiers returns NEON, which is part of every arm64 processor that Go runs on.
func archTiers() []string { return []string{"neon"} }
