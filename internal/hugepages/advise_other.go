//go:build !linux

package hugepages

func advise(begin, length uintptr) {}
