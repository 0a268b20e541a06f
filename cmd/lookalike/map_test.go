package main

import "testing"

func TestMap(t *testing.T) { script(t, "map") }
