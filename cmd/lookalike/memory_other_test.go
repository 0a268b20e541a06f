//go:build !linux

package main

func tellPeak() {}
