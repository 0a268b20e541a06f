//go:build race

package alloctest

const racing = true
