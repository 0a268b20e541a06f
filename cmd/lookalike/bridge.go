package main

import "lookalike/internal/words"

// The names by which files that are being rewritten call what has moved.
var (
	count     = words.Count
	nearest   = words.Nearest
	orList    = words.OrList
	perSecond = words.PerSecond
	printable = words.Printable
)
