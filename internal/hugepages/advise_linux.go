package hugepages

import "syscall"

// advise asks for huge pages. Whether they come is up to the system.
func advise(begin, length uintptr) {
	syscall.Syscall(syscall.SYS_MADVISE, begin, length, 14) // MADV_HUGEPAGE
}
