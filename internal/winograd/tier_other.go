//go:build !amd64 || purego

package winograd

// archTransforms returns nil: there is no assembly here yet.
func archTransforms() *transforms { return nil }
