//go:build !purego

package f32

func archTiers() []*tier { return nil }
