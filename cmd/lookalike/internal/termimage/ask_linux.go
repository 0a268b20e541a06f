package termimage

import (
	"image"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a terminal has to answer. The answer may come from the
// other side of the world, and one that comes too late would be taken for keys.
// Only what is no real terminal says nothing at all.
const patience = time.Second

// cellSize returns the size of a character in pixels, 0 if the system does not
// know.
func cellSize(f *os.File) image.Point {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return image.Point{}
	}
	return image.Pt(int(size.Xpixel/size.Col), int(size.Ypixel/size.Row))
}

// askTerminal asks the terminal that the program was started from, unless the
// program is in its background, where that would stop it. It also tells whether
// there was an answer.
func askTerminal() (answers, bool) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return answers{}, false
	}
	defer tty.Close()
	front := false
	control(tty, func(fd int) {
		group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		front = err == nil && group == unix.Getpgrp()
	})
	if !front {
		return answers{}, false
	}
	return ask(tty, patience)
}

// control calls do with a file's number, and leaves the file with deadlines, which
// its Fd would not.
func control(f *os.File, do func(fd int)) {
	if conn, err := f.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { do(int(fd)) })
	}
}

// ask asks a terminal and reads its answers within a time. Meanwhile keys are not
// shown and lines not edited; Ctrl-C goes on to work. If keys wait to be read, it
// does not ask, for they would be lost among the answers.
func ask(tty *os.File, within time.Duration) (a answers, answered bool) {
	if tty.SetDeadline(time.Now().Add(within)) != nil {
		return answers{}, false
	}
	var before *unix.Termios
	waiting := 1
	control(tty, func(fd int) {
		var err error
		if before, err = unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return
		}
		raw := *before
		raw.Lflag &^= unix.ICANON | unix.ECHO
		raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
		if err = unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
			before = nil
			return
		}
		if n, err := unix.IoctlGetInt(fd, unix.TIOCINQ); err == nil {
			waiting = n
		}
	})
	if before == nil {
		return answers{}, false
	}
	defer control(tty, func(fd int) { unix.IoctlSetTermios(fd, unix.TCSETS, before) })
	if waiting > 0 {
		return answers{}, false
	}
	if _, err := tty.WriteString(questions); err != nil {
		return answers{}, false
	}
	var text []byte
	for buffer := make([]byte, 256); len(text) < 4096; {
		n, err := tty.Read(buffer)
		text = append(text, buffer[:n]...)
		if a, done := parseAnswers(text); done {
			return a, true
		}
		if err != nil {
			break
		}
	}
	return answers{}, false
}
