// Lookalike finds similar pictures: it trains an autoencoder on a folder of
// photographs, describes each by a short code, and finds those whose codes are
// nearest to that of a given one.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }
