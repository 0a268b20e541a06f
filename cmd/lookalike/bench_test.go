package main

import "testing"

func TestBench(t *testing.T) { script(t, "bench") }
