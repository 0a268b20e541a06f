//go:build (!amd64 && !arm64) || purego

package winograd

// archTransforms returns nil: there is no assembly here.
func archTransforms() *transforms { return nil }
