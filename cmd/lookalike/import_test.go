package main

import "testing"

func TestImport(t *testing.T) { script(t, "import") }
