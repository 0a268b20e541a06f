// Package sweeptest says how much tests try.
package sweeptest

import (
	"flag"
	"testing"
)

var long = flag.Bool("long", false, "try all: every byte flipped, hundreds of kills")

// Cases returns how many cases a test tries: many with -long; few with -short, and where
// the race detector runs, for which the hundredth case of a kind shows nothing new.
func Cases(few, usual, many int) int {
	switch {
	case *long:
		return many
	case testing.Short() || Racing:
		return few
	}
	return usual
}
