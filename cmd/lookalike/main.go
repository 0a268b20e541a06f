// Lookalike finds similar pictures: it trains an autoencoder on a folder of
// photographs, describes each by a short code, and finds those whose codes are
// nearest to that of a given one.
package main

import (
	"os"

	"lookalike/picture/heif"
)

func main() {
	heif.Main() // first: the program is started once more to decode HEIC and AVIF
	os.Exit(run(os.Args[1:]))
}
