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
// nor has one without colours; one of 256 colours or more has half blocks at least,
// unless the user wants no colours (NO_COLOR, https://no-color.org).
//
// The environment tells what the terminal is likely to be. On Linux it is asked as
// well, and its own word counts: the environment may be that of another terminal,
// from which this one was started, and through ssh it says little.
func Detect(w io.Writer) Terminal {
	t := Size(w)
	if !IsTerminal(w) {
		return t
	}
	var ask bool
	if t.Protocol, ask = fromEnvironment(os.Getenv); ask {
		if a, answered := askTerminal(); answered {
			t.Protocol = a.protocol()
			t.TrueColor = t.TrueColor || a.name != "" // what knows that question knows all colours
			if t.Cell == (image.Point{}) {            // foot's answer leaves the screen's scale out
				t.Cell = a.cell
			}
		}
	}
	if t.Protocol == None && colours(os.Getenv) {
		t.Protocol = Blocks
	}
	return t
}

// Size is Detect without the protocol. A writer that is no terminal has lines of
// 80 characters.
func Size(w io.Writer) Terminal {
	t := Terminal{Protocol: None, Columns: 80, TrueColor: trueColor(os.Getenv)}
	if f, ok := w.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			t.Columns, t.Rows = width, height
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
// the terminal may be asked.
//
// In tmux it may not: tmux says for itself whether it was built with sixels, and
// where the terminal around it has none, draws an empty box.
func fromEnvironment(env func(string) string) (p Protocol, ask bool) {
	name, program := env("TERM"), env("TERM_PROGRAM")
	switch {
	case name == "", name == "dumb", name == "linux", program == "Apple_Terminal", Multiplexed(env):
		return None, false
	case program == "WezTerm", env("WEZTERM_PANE") != "": // it has all three
		return ITerm, true
	case program == "iTerm.app", env("LC_TERMINAL") == "iTerm2", program == "mintty":
		return ITerm, true
	case strings.Contains(name, "kitty"), strings.Contains(name, "ghostty"), program == "ghostty":
		return Kitty, true
	case env("KITTY_WINDOW_ID") != "" && strings.HasPrefix(name, "xterm"):
		return Kitty, true
	}
	return None, true
}

// colours tells whether text can and may have 256 colours or more.
func colours(env func(string) string) bool {
	name := env("TERM")
	if env("NO_COLOR") != "" || name == "" || name == "dumb" || name == "linux" {
		return false
	}
	return strings.Contains(name, "256color") || trueColor(env)
}

// trueColor tells whether text can have any colour.
func trueColor(env func(string) string) bool {
	if env("STY") != "" {
		return false // screen has 256, whatever the terminal around it told
	}
	switch env("COLORTERM") {
	case "truecolor", "24bit":
		return true
	}
	if env("TMUX") != "" { // which makes of them what the terminal around it has
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
	name  string      // with its version, "" if it did not say
	cell  image.Point // pixels of a character, 0 if it did not say
	sixel bool
}

// protocol is the best that a terminal has. Sixels have 255 colours, and Konsole
// draws what is transparent in them black.
func (a answers) protocol() Protocol {
	switch {
	case strings.HasPrefix(a.name, "kitty"), strings.HasPrefix(a.name, "ghostty"):
		return Kitty
	case strings.HasPrefix(a.name, "Konsole") && a.sixel: // from the version on that has sixels
		return Kitty
	case strings.HasPrefix(a.name, "iTerm2"), strings.HasPrefix(a.name, "WezTerm"), strings.HasPrefix(a.name, "mintty"):
		return ITerm
	case a.sixel:
		return Sixel
	}
	return None
}

// questions ask for the size of a character (XTWINOPS), for the terminal's name
// (XTVERSION) and then for the device's attributes (DA1), which every terminal
// knows: after that answer no other comes.
const questions = "\x1b[16t\x1b[>q\x1b[c"

var (
	cellAnswer      = regexp.MustCompile(`\x1b\[6;(\d{1,4});(\d{1,4})t`)
	nameAnswer      = regexp.MustCompile(`\x1bP>\|([ -~]*)\x1b\\`)
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
	if m := nameAnswer.FindSubmatch(text); m != nil {
		a.name = string(m[1])
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
