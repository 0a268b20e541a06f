package termimage

import (
	"bytes"
	"image"
	"os"
	"testing"
)

func TestFromEnvironment(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Protocol
		ask  bool
	}{
		{map[string]string{}, None, false},
		{map[string]string{"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None, false},
		{map[string]string{"TERM": "linux"}, None, false},
		{map[string]string{"TERM": "xterm-kitty"}, Kitty, true},
		{map[string]string{"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, Kitty, true},
		{map[string]string{"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, Kitty, true},
		{map[string]string{"TERM": "foot", "KITTY_WINDOW_ID": "1"}, None, true}, // started from kitty
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, ITerm, true},
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, ITerm, true},
		{map[string]string{"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, ITerm, true}, // through ssh
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, None, false},
		{map[string]string{"TERM": "xterm-256color"}, None, true},
		{map[string]string{"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/x"}, None, false},
		{map[string]string{"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, None, false},
		{map[string]string{"TERM": "screen.xterm-256color", "LC_TERMINAL": "iTerm2"}, None, false},
	} {
		if p, ask := fromEnvironment(func(name string) string { return c.env[name] }); p != c.want || ask != c.ask {
			t.Errorf("%v: %s, %v", c.env, p, ask)
		}
	}
}

func TestTrueColor(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{{"COLORTERM", "truecolor", true}, {"COLORTERM", "24bit", true}, {"COLORTERM", "yes", false}, {"TMUX", "/tmp/x", true}, {"STY", "1", false}, {"TERM", "xterm-256color", false}, {"TERM", "xterm-direct", true}} {
		if got := trueColor(func(name string) string { return map[string]string{c.name: c.value}[name] }); got != c.want {
			t.Errorf("%s=%s: %v", c.name, c.value, got)
		}
	}
}

func TestColours(t *testing.T) {
	for _, c := range []struct {
		env                map[string]string
		colours, trueColor bool
	}{
		{map[string]string{"TERM": "xterm-256color"}, true, false},
		{map[string]string{"TERM": "tmux-256color", "COLORTERM": "truecolor"}, true, true},
		{map[string]string{"TERM": "screen.xterm-256color", "STY": "1.pts", "COLORTERM": "truecolor"}, true, false},
		{map[string]string{"TERM": "xterm-256color", "NO_COLOR": "1"}, false, false},
		{map[string]string{"TERM": "alacritty"}, true, true},
		{map[string]string{"TERM": "xterm"}, false, false},
		{map[string]string{"TERM": "linux", "COLORTERM": "truecolor"}, false, true},
		{map[string]string{"TERM": "dumb", "COLORTERM": "truecolor"}, false, true},
		{map[string]string{}, false, false},
	} {
		env := func(name string) string { return c.env[name] }
		if colours(env) != c.colours || trueColor(env) != c.trueColor {
			t.Errorf("%v: %v, %v", c.env, colours(env), trueColor(env))
		}
	}
}

func TestParseAnswers(t *testing.T) {
	for _, c := range []struct {
		text string
		want answers
		done bool
	}{
		{"", answers{}, false},
		{"\x1b[?62;4;22c", answers{sixel: true}, true},
		{"\x1b[6;21;9t\x1b[?62;22;4c", answers{"", image.Pt(9, 21), true}, true},
		{"\x1b[6;21;9t\x1b[?62;2", answers{cell: image.Pt(9, 21)}, false},
		{"\x1bP>|kitty(0.26.5)\x1b\\\x1b[?62;c", answers{name: "kitty(0.26.5)"}, true},
		{"\x1bP>|a name that ends never", answers{}, false},
		{"\x1b[?1;2c", answers{}, true},
		{"\x1b[?4c", answers{}, true}, // a VT132
		{"\x1b[?64;14;44c", answers{}, true},
		{"\x1b[6;0;99999t\x1b[?;c", answers{}, true},
	} {
		if a, done := parseAnswers([]byte(c.text)); a != c.want || done != c.done {
			t.Errorf("%q: %+v, %v", c.text, a, done)
		}
	}
}

// The names are what these terminals answered.
func TestProtocol(t *testing.T) {
	for _, c := range []struct {
		name  string
		sixel bool
		want  Protocol
	}{
		{"kitty(0.26.5)", false, Kitty},
		{"Konsole 22.12.3", true, Kitty},
		{"Konsole 21.12.3", false, None},
		{"foot(1.13.1)", true, Sixel},
		{"XTerm(379)", true, Sixel},
		{"XTerm(379)", false, None},
		{"", true, Sixel}, // mlterm
		{"", false, None},
	} {
		if got := (answers{name: c.name, sixel: c.sixel}).protocol(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What is no terminal shows no pictures, whatever the environment says.
func TestDetectPipe(t *testing.T) {
	t.Setenv("TERM", "xterm-kitty")
	t.Setenv("TMUX", "")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if got := Detect(w); got.Protocol != None || got.Columns != 80 {
		t.Errorf("a pipe: %+v", got)
	}
	if got := Detect(&bytes.Buffer{}); got.Protocol != None || got.Columns != 80 {
		t.Errorf("memory: %+v", got)
	}
}
