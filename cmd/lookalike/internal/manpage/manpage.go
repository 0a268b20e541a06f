// Package manpage writes the manual of a program that is made of cobra's commands,
// in the language of man(7).
package manpage

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Manual is what its pages have in common.
type Manual struct {
	Pages      []*cobra.Command // the program, its commands, and topics of help
	Source     string           // the program and its version
	Title      string           // of the manual
	ExitStatus string           // of commands whose descriptions do not tell it
}

// Name is the name of a command's page, such as lookalike-weights-fetch.
func Name(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// Page is the page of one of the commands.
func (m Manual) Page(c *cobra.Command) string {
	p := &roff{}
	p.line(".TH %s 1 \"\" \"%s\" \"%s\"", strings.ToUpper(Name(c)), roffText(m.Source), roffText(m.Title))
	p.line(".ad l\n.nh\n.ss 12 0") // no words pulled apart, none cut: people copy them
	p.line(".SH NAME\n%s \\- %s", roffText(Name(c)), roffText(c.Short))
	topic := c.IsAdditionalHelpTopicCommand()
	if !topic {
		p.line(".SH SYNOPSIS")
		p.synopsis(c)
	}
	p.line(".SH DESCRIPTION")
	p.text(c.Long)
	if c.HasSubCommands() {
		p.commands(c)
	}
	if !topic {
		if c.HasAvailableLocalFlags() && c != c.Root() {
			p.line(".SH OPTIONS")
			p.flags(c.LocalFlags())
		}
		p.line(".SH \"OPTIONS OF ALL COMMANDS\"")
		flags := c.Root().PersistentFlags()
		if c == c.Root() {
			flags = c.LocalFlags() // --version, too
		}
		p.flags(flags)
	}
	if c.Example != "" {
		p.line(".SH EXAMPLES")
		p.literal(strings.Split(c.Example, "\n"))
	}
	if !topic && !strings.Contains(c.Long, "xit status") {
		p.line(".SH \"EXIT STATUS\"")
		p.literal(strings.Split(m.ExitStatus, "\n"))
	}
	p.seeAlso(c, m.Pages)
	return p.String()
}

// roff collects a page.
type roff struct{ strings.Builder }

func (p *roff) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// roffText protects a text from being read as commands.
func roffText(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	var ascii strings.Builder // which every roff reads, whatever the encoding it is told
	for _, r := range s {
		if r < utf8.RuneSelf {
			ascii.WriteRune(r)
		} else {
			fmt.Fprintf(&ascii, `\[u%04X]`, r)
		}
	}
	return ascii.String()
}

// synopsis shows the command's first line, words in capitals as what is to be
// replaced.
func (p *roff) synopsis(c *cobra.Command) {
	words := strings.Fields(c.UseLine())
	for i, w := range words {
		w = roffText(w)
		if i == 0 || w == strings.ToLower(w) && !strings.HasPrefix(w, "[") {
			w = `\fB` + w + `\fR`
		} else if w != "[flags]" {
			w = `\fI` + w + `\fR`
		}
		words[i] = w
	}
	p.line("%s", strings.Join(words, " "))
}

// text sets paragraphs: lines that are indented stand as they are, others are
// filled.
func (p *roff) text(s string) {
	var literal []string
	between := false // two paragraphs
	flush := func() {
		if literal != nil {
			p.line(".sp")
		}
		p.literal(literal)
		literal = nil
	}
	for _, line := range strings.Split(s, "\n") {
		switch {
		case strings.HasPrefix(line, "  "):
			literal = append(literal, line)
		case line == "" && literal != nil:
			literal = append(literal, line) // within a block, or its end
		case line == "":
			between = true
		default:
			if literal != nil {
				flush()
				between = true
			}
			if between {
				p.line(".PP")
				between = false
			}
			p.line("%s", roffText(line))
		}
	}
	flush()
}

// literal sets lines as they are, without their common indentation.
func (p *roff) literal(lines []string) {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return
	}
	p.line(".RS 2\n.nf")
	for _, line := range lines {
		p.line("%s", roffText(strings.TrimPrefix(line, "  ")))
	}
	p.line(".fi\n.RE")
}

// flags lists flags with what they do and their defaults.
func (p *roff) flags(set *pflag.FlagSet) {
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		word, usage := pflag.UnquoteUsage(f)
		name := `\fB` + roffText("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			name = `\fB` + roffText("-"+f.Shorthand) + `\fR, ` + name
		}
		if word != "" {
			name += ` \fI` + roffText(word) + `\fR`
		}
		p.line(".TP\n%s\n%s", name, roffText(usage+flagDefault(f)))
	})
}

// flagDefault says what a flag is when nobody gives it, unless that is nothing.
func flagDefault(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "false", "[]":
		return ""
	}
	return fmt.Sprintf(" (default %s)", strings.Trim(f.DefValue, "[]"))
}

// commands lists those below a command, in their groups.
func (p *roff) commands(c *cobra.Command) {
	group := ""
	p.line(".SH COMMANDS")
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		if sub.GroupID != group {
			group = sub.GroupID
			p.line(".SS %s", roffText(group))
		}
		p.line(".TP 12\n\\fB%s\\fR\n%s", roffText(sub.Name()), roffText(sub.Short))
	}
}

// seeAlso names the pages above, beside and below.
func (p *roff) seeAlso(c *cobra.Command, pages []*cobra.Command) {
	var names []string
	for _, other := range pages {
		if other != c && (c == c.Root() || other == c.Root() || other == c.Parent() || other.Parent() == c || other.Parent() == c.Parent() && c.Parent() != c.Root()) {
			names = append(names, `\fB`+roffText(Name(other))+`\fR(1)`)
		}
	}
	p.line(".SH \"SEE ALSO\"\n%s", strings.Join(names, ",\n"))
}
