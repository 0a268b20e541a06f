// Package termimage shows pictures in a terminal: by the graphics protocol of
// kitty, by iTerm2's inline images, as sixels, or as half blocks in colours of
// text.
package termimage

import (
	"fmt"
	"image"
	"io"
)

// Protocol is a way of showing pictures in a terminal.
type Protocol string

const (
	None   Protocol = "none"
	Kitty  Protocol = "kitty"  // https://sw.kovidgoyal.net/kitty/graphics-protocol
	ITerm  Protocol = "iterm"  // https://iterm2.com/documentation-images.html
	Sixel  Protocol = "sixel"  // DEC's VT330/VT340 Programmer Reference Manual, volume 2, chapter 14
	Blocks Protocol = "blocks" // two pixels a character
)

// Terminal is what pictures are written for.
type Terminal struct {
	Protocol  Protocol
	Columns   int         // characters in a line
	Rows      int         // lines, 0 if not known
	Cell      image.Point // pixels of a character
	TrueColor bool        // text can have any colour, not only one of 256
}

// Write shows one picture that is so many characters wide. What is transparent in
// it shows the terminal's background. The cursor must be at the start of a line
// and is at the start of the one below the picture afterwards. Without a protocol
// nothing is written.
func (t Terminal) Write(w io.Writer, m *image.RGBA, columns int) error {
	var data []byte
	switch t.Protocol {
	case Kitty:
		data = append(kitty(m, columns), '\n')
	case ITerm:
		data = append(iterm(m, columns), '\n')
	case Sixel:
		data = t.placed(sixel(m), m.Rect.Dy())
	case Blocks:
		data = blocks(m, t.TrueColor)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("termimage: cannot write a picture to the terminal: %w", err)
	}
	return nil
}
