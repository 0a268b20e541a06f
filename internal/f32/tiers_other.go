//go:build (!amd64 && !arm64) || purego

package f32

// archTiers returns the tiers beside the portable one: none here yet.
func archTiers() []*tier { return nil }
