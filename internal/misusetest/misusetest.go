// Package misusetest holds what calls say of arguments that cannot be to what they must
// say: where, and what is wrong; never a runtime error, never silence.
package misusetest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Check makes calls and fails the test unless each says all parts of its key, which |
// separates.
func Check(t testing.TB, calls map[string]func() error) {
	t.Helper()
	for want, call := range calls {
		Says(t, Said(t, call), want)
	}
}

// CheckPanics is Check for calls that return no error.
func CheckPanics(t testing.TB, calls map[string]func()) {
	t.Helper()
	for want, call := range calls {
		Says(t, Panic(t, call), want)
	}
}

// Said returns what a call says: its error, or what it panics with.
func Said(t testing.TB, call func() error) string {
	t.Helper()
	var err error
	if said := Panic(t, func() { err = call() }); said != "" {
		return said
	}
	return fmt.Sprint(err)
}

// Panic returns what a call panics with, or nothing.
func Panic(t testing.TB, call func()) (said string) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		if r == nil {
			return
		}
		if said = fmt.Sprint(r); isRuntime(r) {
			t.Errorf("%s: a runtime error says neither where nor what", said)
		}
	}()
	call()
	return ""
}

func isRuntime(r any) bool { _, is := r.(runtime.Error); return is }

// Says fails the test unless what was said has all parts of want, which | separates.
func Says(t testing.TB, said, want string) {
	t.Helper()
	for _, part := range strings.Split(want, "|") {
		if !strings.Contains(said, part) {
			t.Errorf("got %q, want %q", said, part)
		}
	}
}
