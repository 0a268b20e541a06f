package tiff

import "errors"

// decodeLZW fills dst. In files of old libraries the lowest bits of a byte come first, and
// codes grow by a bit when it is needed and not one before.
func decodeLZW(dst, src []byte) error {
	const clear, end, first, most = 256, 257, 258, 4096
	old := len(src) >= 2 && src[0] == 0 && src[1]&1 != 0
	var (
		prefix [most]uint16
		suffix [most]byte
		length [most]uint16
		bits   uint
		held   uint32
		at     int
	)
	for i := range clear {
		suffix[i], length[i] = byte(i), 1
	}
	width, next, last := uint(9), first, -1
	for at < len(dst) {
		for bits < width {
			if len(src) == 0 {
				return errCut
			}
			if old {
				held |= uint32(src[0]) << bits
			} else {
				held = held<<8 | uint32(src[0])
			}
			src, bits = src[1:], bits+8
		}
		bits -= width
		var code int
		if old {
			code = int(held & (1<<width - 1))
			held >>= width
		} else {
			code = int(held >> bits & (1<<width - 1))
		}
		switch {
		case code == clear:
			width, next, last = 9, first, -1
			continue
		case code == end:
			return errCut
		case code > next, code == next && last < 0, last < 0 && code > end:
			return errors.New("a code of LZW that is not in use yet")
		}
		from := code
		if code == next { // what came before, and its first byte once more
			from = last
		}
		n := int(length[from])
		to := at + n
		for i := to - 1; i >= at; i-- {
			if i < len(dst) {
				dst[i] = suffix[from]
			}
			if i > at {
				from = int(prefix[from])
			}
		}
		begin := suffix[from]
		if code == next {
			if to < len(dst) {
				dst[to] = begin
			}
			to++
		}
		at = to
		if last >= 0 && next < most {
			prefix[next], suffix[next], length[next] = uint16(last), begin, length[last]+1
			next++
			limit := 1<<width - 1
			if old {
				limit++
			}
			if next >= limit && width < 12 {
				width++
			}
		}
		last = code
	}
	return nil
}

// decodePackBits fills dst: a count of bytes as they are, or of one that is repeated.
func decodePackBits(dst, src []byte) error {
	for len(dst) > 0 {
		if len(src) < 2 {
			return errCut
		}
		n := int(int8(src[0]))
		src = src[1:]
		switch {
		case n == -128: // nothing
		case n < 0:
			n = min(1-n, len(dst))
			for i := range n {
				dst[i] = src[0]
			}
			src, dst = src[1:], dst[n:]
		default:
			n = min(n+1, len(dst))
			if len(src) < n {
				return errCut
			}
			copy(dst, src[:n])
			src, dst = src[n:], dst[n:]
		}
	}
	return nil
}
