// Package sweeptest says how much tests try.
package sweeptest

import (
	"flag"
	"testing"
)

var long = flag.Bool("long", false, "try all: every byte flipped, hundreds of kills")

// Quick tells whether tests shall try little: with -short, and where the race detector
// runs, for which the hundredth case of a kind shows nothing new.
func Quick() bool { return !*long && (testing.Short() || Racing) }

// Long tells whether tests shall try all, with -long.
func Long() bool { return *long }

// Cases returns how many cases a test tries: few if it shall be quick, many with -long.
func Cases(few, usual, many int) int {
	switch {
	case Quick():
		return few
	case *long:
		return many
	}
	return usual
}

// Slow skips a test that takes seconds if it shall be quick.
func Slow(t testing.TB, why string) {
	t.Helper()
	if Quick() {
		t.Skip(why)
	}
}
