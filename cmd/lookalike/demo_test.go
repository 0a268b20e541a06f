package main

import "testing"

func TestDemo(t *testing.T) { script(t, "demo") }
