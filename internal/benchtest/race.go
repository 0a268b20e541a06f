//go:build race

package benchtest

const racing = true
