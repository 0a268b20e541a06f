package termimage

import (
	"image"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Detect finds out what a writer can show. What is no terminal has no protocol,
// nor has one that shows half blocks only: they are for who asks for them.
//
// Kitty's and iTerm2's protocols are known by the environment. Otherwise, on
// Linux, the terminal is asked whether it has sixels; one that says nothing for a
// moment has none.
func Detect(w io.Writer) Terminal {
	t := Size(w)
	if !IsTerminal(w) {
		return t
	}
	var ask bool
	if t.Protocol, ask = fromEnvironment(os.Getenv); ask {
		if a := askTerminal(); a.sixel {
			t.Protocol = Sixel
			if a.cell != (image.Point{}) {
				t.Cell = a.cell
			}
		}
	}
	return t
}

// Size is Detect without the protocol. A writer that is no terminal has lines of
// 80 characters.
func Size(w io.Writer) Terminal {
	t := Terminal{Protocol: None, Columns: 80, TrueColor: trueColor(os.Getenv)}
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			t.Columns = width
			t.Cell = cellSize(f)
		}
	}
	return t
}

// IsTerminal tells whether a writer is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Multiplexed tells whether the terminal is a window of tmux or screen, which pass
// on neither kitty's nor iTerm2's pictures.
func Multiplexed(env func(string) string) bool {
	name := env("TERM")
	return env("TMUX") != "" || env("STY") != "" || strings.HasPrefix(name, "screen") || strings.HasPrefix(name, "tmux")
}

// fromEnvironment returns the protocol that the environment tells of, and whether
// the terminal may be asked for sixels.
//
// In tmux it may not: tmux says for itself whether it was built with sixels, and
// where the terminal around it has none, draws an empty box.
func fromEnvironment(env func(string) string) (p Protocol, ask bool) {
	name, program := env("TERM"), env("TERM_PROGRAM")
	switch {
	case name == "", name == "dumb", name == "linux", Multiplexed(env):
		return None, false
	case program == "WezTerm", env("WEZTERM_PANE") != "": // it has all three
		return ITerm, false
	case program == "iTerm.app", env("LC_TERMINAL") == "iTerm2", program == "mintty":
		return ITerm, false
	case strings.Contains(name, "kitty"), strings.Contains(name, "ghostty"), program == "ghostty":
		return Kitty, false
	case env("KITTY_WINDOW_ID") != "" && strings.HasPrefix(name, "xterm"):
		return Kitty, false
	case program == "Apple_Terminal":
		return None, false
	}
	return None, true
}

// trueColor tells whether text can have any colour.
func trueColor(env func(string) string) bool {
	switch env("COLORTERM") {
	case "truecolor", "24bit":
		return true
	}
	name := env("TERM")
	for _, known := range []string{"direct", "kitty", "ghostty", "alacritty", "foot", "wezterm"} {
		if strings.Contains(name, known) {
			return true
		}
	}
	return false
}

// answers are what a terminal has said of itself.
type answers struct {
	sixel bool
	cell  image.Point // pixels of a character, 0 if it did not say
}

// questions ask for the size of a character (XTWINOPS) and then for the device's
// attributes (DA1), which every terminal knows: after that answer no other comes.
const questions = "\x1b[16t\x1b[c"

var (
	cellAnswer      = regexp.MustCompile(`\x1b\[6;(\d{1,4});(\d{1,4})t`)
	attributeAnswer = regexp.MustCompile(`\x1b\[\?([\d;]*)c`)
)

// parseAnswers reads them; done says that the last has come.
func parseAnswers(text []byte) (a answers, done bool) {
	if m := cellAnswer.FindSubmatch(text); m != nil {
		height, _ := strconv.Atoi(string(m[1]))
		width, _ := strconv.Atoi(string(m[2]))
		if width > 0 && height > 0 {
			a.cell = image.Pt(width, height)
		}
	}
	m := attributeAnswer.FindSubmatch(text)
	if m == nil {
		return a, false
	}
	for i, attribute := range strings.Split(string(m[1]), ";") {
		a.sixel = a.sixel || i > 0 && attribute == "4" // the first is the device's class
	}
	return a, true
}
