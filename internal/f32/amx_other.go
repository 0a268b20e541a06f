//go:build amd64 && !linux && !purego

package f32

// hasAMX: Windows and the BSDs are not asked.
func hasAMX() bool { return false }
