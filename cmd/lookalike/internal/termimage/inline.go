package termimage

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
)

// Kitty and iTerm2 are given PNG files, and scale them to a width in characters.
// The height follows from the picture's shape, so that it is right also where the
// size of a character is not known.

// kittyChunk is how many bytes of base64 one escape sequence may hold.
const kittyChunk = 4096

// kitty returns a picture in the graphics protocol of kitty. q=2 keeps the
// terminal from answering, for nobody reads the answer.
func kitty(m *image.RGBA, columns int) []byte {
	var b bytes.Buffer
	control := fmt.Sprintf("a=T,f=100,q=2,c=%d,", columns)
	for data := base64.StdEncoding.AppendEncode(nil, pngFile(m)); len(data) > 0; control = "" {
		n, more := min(kittyChunk, len(data)), 1
		if n == len(data) {
			more = 0
		}
		fmt.Fprintf(&b, "\x1b_G%sm=%d;%s\x1b\\", control, more, data[:n])
		data = data[n:]
	}
	return b.Bytes()
}

// iterm returns a picture as an inline image of iTerm2.
func iterm(m *image.RGBA, columns int) []byte {
	file := pngFile(m)
	return fmt.Appendf(nil, "\x1b]1337;File=inline=1;size=%d;width=%d;height=auto;preserveAspectRatio=1:%s\a", len(file), columns, base64.StdEncoding.EncodeToString(file))
}

func pngFile(m *image.RGBA) []byte {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, m); err != nil {
		panic("termimage: " + err.Error()) // a buffer takes everything, and Strip's pictures are never empty
	}
	return b.Bytes()
}
