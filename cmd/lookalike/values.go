package main

import (
	"errors"
	"math"
	"strconv"
)

// distance is a flag that takes a distance; NaN means "not given".
type distance float64

func newDistance() distance { return distance(math.NaN()) }

func (d *distance) given() bool { return *d == *d }

func (d *distance) String() string {
	if !d.given() {
		return ""
	}
	return strconv.FormatFloat(float64(*d), 'g', -1, 64)
}

func (d *distance) Type() string { return "distance" }

// Set takes an empty text for "not given" too, as settings print it.
func (d *distance) Set(s string) error {
	if s == "" {
		*d = newDistance()
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v {
		return errors.New("a number")
	}
	*d = distance(v)
	return nil
}
