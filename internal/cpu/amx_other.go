//go:build amd64 && !linux && !purego

package cpu

// hasAMX: Windows and the BSDs are not asked.
func hasAMX() bool { return false }
