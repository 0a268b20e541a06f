package termimage

import (
	"fmt"
	"image"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pseudoTerminal returns both ends of a terminal: what a terminal program holds,
// and what the programs in it hold.
func pseudoTerminal(t *testing.T) (outside, inside *os.File) {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { outside.Close() })
	number := 0
	control(outside, func(fd int) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Skipf("there are no pseudo-terminals: %v", err)
	}
	inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { inside.Close() })
	return outside, inside
}

func lineMode(t *testing.T, f *os.File) (mode unix.Termios) {
	t.Helper()
	control(f, func(fd int) {
		m, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		mode = *m
	})
	return mode
}

// A terminal is believed, one that keeps silent is not waited for, and its mode is
// afterwards what it was before.
func TestAsk(t *testing.T) {
	for _, c := range []struct {
		parts    []string // of the answer
		want     answers
		answered bool
	}{
		{[]string{"\x1b[6;21;9t\x1bP>|foot(1.13.1)\x1b\\\x1b[?62;4;22c"}, answers{"foot(1.13.1)", image.Pt(9, 21), true}, true},
		{[]string{"\x1b[6;2", "1;9t\x1b", "[?62;4;22c"}, answers{"", image.Pt(9, 21), true}, true},
		{[]string{"\x1b[?6c"}, answers{}, true},
		{[]string{"\x1b[?62;4"}, answers{}, false}, // never ends
		{nil, answers{}, false},
	} {
		outside, inside := pseudoTerminal(t)
		before := lineMode(t, inside)
		go func() {
			asked := make([]byte, 64)
			for got := ""; len(got) < len(questions); {
				n, err := outside.Read(asked)
				if err != nil {
					return
				}
				got += string(asked[:n])
			}
			for _, p := range c.parts {
				outside.WriteString(p)
				time.Sleep(5 * time.Millisecond)
			}
		}()
		within := time.Minute
		if !c.answered {
			within = 100 * time.Millisecond
		}
		start := time.Now()
		if got, answered := ask(inside, within); got != c.want || answered != c.answered {
			t.Errorf("%q: %+v, %v, want %+v", c.parts, got, answered, c.want)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%q: waited for %v", c.parts, took)
		}
		if after := lineMode(t, inside); after != before {
			t.Errorf("%q: the terminal's mode is %+v, was %+v", c.parts, after, before)
		}
	}
}

// Keys that were typed before are left to whoever reads them next.
func TestAskKeepsKeys(t *testing.T) {
	outside, inside := pseudoTerminal(t)
	if _, err := outside.WriteString("ls\n"); err != nil {
		t.Fatal(err)
	}
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) { // until the system has passed them on
		control(inside, func(fd int) {
			var err error
			if waiting, err = unix.IoctlGetInt(fd, unix.TIOCINQ); err != nil {
				t.Fatal(err)
			}
		})
	}
	if got, answered := ask(inside, 100*time.Millisecond); answered {
		t.Errorf("%+v", got)
	}
	inside.SetDeadline(time.Now().Add(time.Minute))
	line := make([]byte, 16)
	if n, err := inside.Read(line); err != nil || string(line[:n]) != "ls\n" {
		t.Errorf("%q, %v", line[:n], err)
	}
}
