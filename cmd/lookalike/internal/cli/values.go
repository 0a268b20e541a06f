package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"lookalike/internal/words"
)

// Kinds of flags beyond pflag's. Their Set says what to give instead of a value
// that cannot be.

// wants says in words what a flag takes.
func wants(f *pflag.Flag, err error) string {
	if kind, ok := map[string]string{
		"int": "a whole number", "uint64": "a whole number from 0", "float64": "a number", "bool": "true or false",
		"intSlice": "whole numbers, such as 1,8", "duration": "a time such as 30s or 5m",
	}[f.Value.Type()]; ok {
		return kind
	}
	return err.Error()
}

// OneOf is a flag that takes one of some words.
type OneOf struct {
	value *string
	words []string
}

// NewOneOf returns a flag whose default is the first of its words.
func NewOneOf(value *string, words ...string) OneOf {
	*value = words[0]
	return OneOf{value, words}
}

func (o OneOf) String() string {
	if o.value == nil { // pflag asks a zero value
		return ""
	}
	return *o.value
}

func (o OneOf) Type() string { return "word" }

func (o OneOf) Set(s string) error {
	if !slices.Contains(o.words, s) {
		return errors.New(words.OrList(o.words))
	}
	*o.value = s
	return nil
}

// Natural is a flag that takes a whole number from 1; 0 means "not given".
type Natural int

func (n *Natural) String() string { return strconv.Itoa(int(*n)) }
func (n *Natural) Type() string   { return "natural" }

func (n *Natural) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < 0 {
		return errors.New("1 or more")
	}
	*n = Natural(v)
	return nil
}

// Distance is a flag that takes a distance; NaN means "not given".
type Distance float64

// NewDistance returns one that is not given.
func NewDistance() Distance { return Distance(math.NaN()) }

// Given tells whether it is.
func (d *Distance) Given() bool { return *d == *d }

func (d *Distance) String() string {
	if !d.Given() {
		return ""
	}
	return strconv.FormatFloat(float64(*d), 'g', -1, 64)
}

func (d *Distance) Type() string { return "distance" }

// Set takes an empty text for "not given" too, as settings print it.
func (d *Distance) Set(s string) error {
	if s == "" {
		*d = NewDistance()
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v {
		return errors.New("a number")
	}
	*d = Distance(v)
	return nil
}

// ByteSize is a flag that takes a number of bytes, such as 800MB or 2GiB; 0
// means "not given".
type ByteSize int64

// sizeUnits are in the order in which String tries them.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"KB", 1e3}, {"G", 1e9}, {"M", 1e6}, {"K", 1e3}, {"B", 1},
}

// String is written so that Set reads the same number again.
func (b *ByteSize) String() string {
	if *b == 0 {
		return ""
	}
	for _, u := range sizeUnits {
		if int64(*b)%u.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(*b)/u.bytes, u.name)
		}
	}
	return ""
}

func (b *ByteSize) Type() string { return "size" }

// leastMemory is what the program needs before it has done anything.
const leastMemory = 32 << 20

func (b *ByteSize) Set(s string) error {
	if s == "" {
		*b = 0
		return nil
	}
	digits, unit := strings.ToUpper(strings.TrimSpace(s)), int64(0)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(digits, strings.ToUpper(u.name)); ok && unit == 0 {
			digits, unit = strings.TrimSpace(rest), u.bytes
		}
	}
	number, err := strconv.ParseFloat(digits, 64)
	size := number * float64(unit)
	if err != nil || unit == 0 || !(size >= leastMemory && size < math.MaxInt64/2) {
		return errors.New("a size with its unit from 32MiB, such as 800MB or 2GiB")
	}
	*b = ByteSize(size)
	return nil
}
