package gif

import "errors"

const mostCodes = 4096

// codes reads the pixels of a frame: codes of LZW, the lowest bits first, in blocks of up
// to 255 bytes.
type codes struct {
	data  []byte // at the size of a block, or within one
	block int    // bytes left of it

	literal uint // bits of a pixel
	width   uint
	held    uint32
	bits    uint

	prefix [mostCodes]uint16
	suffix [mostCodes]uint8
	next   int
	last   int // code; -1 at the beginning
	first  uint8
	ended  bool

	pending [mostCodes]uint8 // pixels of a code that were not asked for yet, the last one first
	left    int
}

var errCode = errors.New("a code that is not in use yet")

func newCodes(data []byte) (*codes, error) {
	if len(data) == 0 {
		return nil, errCut
	}
	c := &codes{literal: uint(data[0]), data: data[1:]}
	if c.literal < 1 || c.literal > 11 {
		return nil, errors.New("pixels of a size that cannot be")
	}
	for i := range 1 << c.literal {
		c.suffix[i] = uint8(i)
	}
	c.clear()
	return c, nil
}

func (c *codes) clear() {
	c.width, c.next, c.last = c.literal+1, 1<<c.literal+2, -1
}

// read fills row with pixels. It returns fewer only where the file says that there are no
// more.
func (c *codes) read(row []uint8) (int, error) {
	n := 0
	for {
		for n < len(row) && c.left > 0 {
			c.left--
			row[n] = c.pending[c.left]
			n++
		}
		if n == len(row) || c.ended {
			return n, nil
		}
		if err := c.unpack(); err != nil {
			return n, err
		}
	}
}

// code reads the next one.
func (c *codes) code() (int, error) {
	for c.bits < c.width {
		if c.block == 0 {
			if len(c.data) == 0 {
				return 0, errCut
			}
			c.block, c.data = int(c.data[0]), c.data[1:]
			if c.block == 0 { // the end of the blocks
				c.ended = true
				return 0, errCut
			}
		}
		if len(c.data) == 0 {
			return 0, errCut
		}
		c.held |= uint32(c.data[0]) << c.bits
		c.data, c.block, c.bits = c.data[1:], c.block-1, c.bits+8
	}
	code := int(c.held & (1<<c.width - 1))
	c.held >>= c.width
	c.bits -= c.width
	return code, nil
}

// unpack reads a code, and leaves its pixels pending.
func (c *codes) unpack() error {
	code, err := c.code()
	if err != nil {
		return err
	}
	clear, end := 1<<c.literal, 1<<c.literal+1
	switch {
	case code == clear:
		c.clear()
		return nil
	case code == end:
		c.ended = true
		return nil
	case c.last < 0 && code > end, code > c.next, code == c.next && c.next == mostCodes:
		return errCode
	}
	from := code
	if code == c.next { // what came before, and its first pixel once more
		c.pending[c.left] = c.first
		c.left++
		from = c.last
	}
	for from > end {
		c.pending[c.left] = c.suffix[from]
		c.left++
		from = int(c.prefix[from])
	}
	c.pending[c.left] = c.suffix[from]
	c.left++
	c.first = c.suffix[from]
	if c.last >= 0 && c.next < mostCodes {
		c.prefix[c.next], c.suffix[c.next] = uint16(c.last), c.first
		if c.next++; c.next == 1<<c.width && c.width < 12 {
			c.width++
		}
	}
	c.last = code
	return nil
}
