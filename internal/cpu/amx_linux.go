//go:build amd64 && !purego

package cpu

import (
	"syscall"

	"github.com/klauspost/cpuid/v2"
)

// hasAMX tells whether tiles of bfloat16 can be multiplied, which Linux must be asked
// for: they make a thread's state larger (Documentation/arch/x86/xstate.rst).
func hasAMX() bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // XFEATURE_XTILE_DATA
	)
	if !cpuid.CPU.Supports(cpuid.AMXTILE, cpuid.AMXBF16, cpuid.AVX512BF16, cpuid.AVX512BW, cpuid.AVX512DQ) {
		return false
	}
	_, _, err := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return err == 0
}
