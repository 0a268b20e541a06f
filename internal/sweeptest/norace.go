//go:build !race

package sweeptest

// Racing tells whether the race detector runs, with which all takes some ten times as
// long and several times as much memory.
const Racing = false
