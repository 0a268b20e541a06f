//go:build !race

package benchtest

const racing = false
