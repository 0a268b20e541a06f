package main

import "testing"

func TestSummary(t *testing.T) { script(t, "summary") }
