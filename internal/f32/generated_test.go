package f32

import (
	"testing"

	"lookalike/internal/kerneltest"
)

// TestGenerated compares the committed assembly with what the generators write.
func TestGenerated(t *testing.T) {
	for arch, source := range map[string]string{"amd64": "_asm", "arm64": "_asm/neon"} {
		t.Run(arch, func(t *testing.T) { kerneltest.Generated(t, "f32", arch, source) })
	}
}
