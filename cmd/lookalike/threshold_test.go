package main

import "testing"

func TestThreshold(t *testing.T) { script(t, "threshold") }
