package main

import "testing"

func TestIndex(t *testing.T) { script(t, "index") }
