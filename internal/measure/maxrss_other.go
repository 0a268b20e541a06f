//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package measure

func maxRSS() int { return 0 }
