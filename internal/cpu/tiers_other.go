//go:build (!amd64 && !arm64) || purego

package cpu

// archTiers returns the tiers beside the portable one: none here yet.
func archTiers() []string { return nil }
