// Rename gives this module another path, for whoever publishes it:
//
//	go run ./internal/rename example.org/somebody/lookalike
//
// It is run in the module's folder, on a tree without changes, and renames what git
// knows there. What it did, "git diff" shows and "git checkout ." takes back.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/rename PATH")
		os.Exit(2)
	}
	to := os.Args[1]
	changed, err := rename(".", to)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
	if len(changed) == 0 {
		fmt.Printf("the module's path is %s already\n", to)
		return
	}
	fmt.Printf("the module's path is %s now, in %d files; go build ./... and go test . tell whether all is well\n", to, len(changed))
	if !fetchable(to) {
		fmt.Printf("go get will not fetch it, for the first part of %s has no dot\n", to)
	}
}
