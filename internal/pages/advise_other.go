//go:build !linux

package pages

func advise(begin, length uintptr) {}
