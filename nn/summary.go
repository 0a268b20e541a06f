package nn

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Summary returns the table that Keras 3 prints: layer by layer the name, the
// class, the output's shape and the number of parameters, then the totals.
func (s *Sequential) Summary() string {
	s.mustBeBuilt("Summary")
	var rows [][3]string
	for i, layer := range s.Layers {
		_, class := layer.Identity()
		n, _ := countParams(layer)
		rows = append(rows, [3]string{s.names[i] + " (" + class + ")", kerasShape(s.shapes[i]), thousands(n)})
	}
	total, trainable := countParams(s)
	name := s.Name
	if name == "" {
		name = "sequential"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Model: %q\n", name)
	writeTable(&b, rows)
	for _, line := range []struct {
		what string
		n    int
	}{{"Total", total}, {"Trainable", trainable}, {"Non-trainable", total - trainable}} {
		fmt.Fprintf(&b, " %s params: %s (%s)\n", line.what, thousands(line.n), byteSize(4*line.n))
	}
	return b.String()
}

// countParams returns how many values a layer's parameters hold, and how many
// of them training changes.
func countParams(l Layer) (all, trainable int) {
	for _, p := range l.Params() {
		all += p.Value.Len()
		if p.Trainable() {
			trainable += p.Value.Len()
		}
	}
	return all, trainable
}

// summaryWidths are the widths of the columns, without borders and padding, that
// Keras takes on a terminal of 80 characters.
var summaryWidths = [3]int{31, 22, 13}

func writeTable(b *strings.Builder, rows [][3]string) {
	border := func(left, middle, right, line string) {
		b.WriteString(left)
		for i, w := range summaryWidths {
			if i > 0 {
				b.WriteString(middle)
			}
			b.WriteString(strings.Repeat(line, w+2))
		}
		b.WriteString(right + "\n")
	}
	row := func(cells [3]string, bar string) {
		var lines [3][]string
		for i, w := range summaryWidths {
			lines[i] = wrap(cells[i], w)
		}
		for n := range max(len(lines[0]), len(lines[1]), len(lines[2])) {
			for i, w := range summaryWidths {
				text := ""
				if n < len(lines[i]) {
					text = lines[i][n]
				}
				gap := strings.Repeat(" ", w-utf8.RuneCountInString(text))
				if i == 2 {
					text = gap + text
				} else {
					text += gap
				}
				b.WriteString(bar + " " + text + " ")
			}
			b.WriteString(bar + "\n")
		}
	}
	border("┏", "┳", "┓", "━")
	row([3]string{"Layer (type)", "Output Shape", "Param #"}, "┃")
	border("┡", "╇", "┩", "━")
	for i, cells := range rows {
		if i > 0 {
			border("├", "┼", "┤", "─")
		}
		row(cells, "│")
	}
	border("└", "┴", "┘", "─")
}

// wrap cuts a text into lines of words; a word that is too long for a line ends
// in an ellipsis.
func wrap(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		if r := []rune(word); len(r) > width {
			word = string(r[:width-1]) + "…"
		}
		if n := len(lines); n > 0 && utf8.RuneCountInString(lines[n-1]+" "+word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// kerasShape writes a shape as Keras does, "(None, 28, 28, 1)".
func kerasShape(shape []int) string {
	parts := []string{"None"}
	for _, d := range shape {
		parts = append(parts, strconv.Itoa(d))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func byteSize(n int) string {
	size, unit := float64(n), 0
	for size >= 1024 && unit < 4 {
		size /= 1024
		unit++
	}
	return fmt.Sprintf("%.2f %s", size, [...]string{"B", "KB", "MB", "GB", "TB"}[unit])
}

func (s *Sequential) mustBeBuilt(op string) {
	if s == nil {
		panic("nn." + op + ": the network is nil")
	}
	if !s.built {
		panic("nn." + op + ": the network has not been built; call Init or Build first")
	}
}
