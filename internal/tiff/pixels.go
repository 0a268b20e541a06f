package tiff

import "math"

// converter chooses how the rows of a block become RGB.
func (f *File) converter() func(u *unpacker, dst []uint8, row int) {
	switch {
	case f.subsampled():
		return convertUnits
	case f.compression == compressedJPEG && f.photometric == lumaChroma: // JPEG made RGB of it
		return convertColours
	case f.bits == 8 && f.photometric == colours && !f.planar && !f.premultiplied:
		return convertColours
	}
	return convertAny
}

// convertColours takes the first three bytes of each pixel.
func convertColours(u *unpacker, dst []uint8, row int) {
	n := u.together
	src := u.planes[0][row*u.row:]
	if n == 3 {
		copy(dst, src)
		return
	}
	for x := range len(dst) / 3 {
		copy(dst[3*x:3*x+3], src[n*x:n*x+3])
	}
}

// convertAny reads samples as numbers, some of a row at a time, and makes colours of these.
func convertAny(u *unpacker, dst []uint8, row int) {
	for x, width := 0, len(dst)/3; x < width; x += atATime {
		u.convertSome(dst[3*x:3*min(x+atATime, width)], row, x)
	}
}

const atATime = 1024 // pixels

// convertSome converts the pixels of a row from x on.
func (u *unpacker) convertSome(dst []uint8, row, x int) {
	width := len(dst) / 3
	channels := u.channels
	if u.premultiplied {
		channels++
	}
	v := &u.values
	for c := range channels {
		if u.planar {
			u.numbers(v[c][:width], u.planes[c][row*u.row:], x, 1)
		} else {
			u.numbers(v[c][:width], u.planes[0][row*u.row:], c+x*u.together, u.together)
		}
	}
	switch u.photometric {
	case whiteIsZero, blackIsZero:
		u.convertGray(dst)
	case paletted:
		for x, i := range v[0][:width] {
			copy(dst[3*x:3*x+3], u.palette[3*i:])
		}
	case colours:
		u.convertRGB(dst)
	case inks:
		for x := range width {
			light := 255 - int32(u.upper(v[3][x]))
			for c := range 3 {
				t := int32(u.upper(v[c][x]))*light + 128
				dst[3*x+c] = clamp(light - (t>>8+t)>>8)
			}
		}
	case lumaChroma:
		for x := range width {
			u.luma.rgb(dst[3*x:3*x+3], uint8(v[0][x]), uint8(v[1][x]), uint8(v[2][x]))
		}
	case lab:
		grid := labGrid()
		for x := range width {
			labToRGB(dst[3*x:3*x+3], grid, uint8(v[0][x]), uint8(v[1][x]), uint8(v[2][x]))
		}
	}
}

// alphas reads the alpha of a row. Where a file of another format inside has none, it is
// opaque.
func (u *unpacker) alphas(dst []uint8, row int) {
	if !u.planar && u.together <= u.channels {
		for x := range dst {
			dst[x] = 255
		}
		return
	}
	for x, v := range u.besidesOf(len(dst), row, u.channels) {
		dst[x] = u.upper(v)
	}
}

// hasUpper tells whether gray of more than 8 bits is cut.
func (f *File) hasUpper() bool {
	return f.channels == 1 && f.cut && f.format == unsigned && f.bits < 32
}

// uppers reads the upper 8 bits of a row of gray.
func (u *unpacker) uppers(dst []uint8, row int) {
	white := uint8(0)
	if u.photometric == whiteIsZero {
		white = 0xff
	}
	for x, v := range u.besidesOf(len(dst), row, 0) {
		dst[x] = u.upper(v) ^ white
	}
}

// besidesOf reads a channel of a row once more.
func (u *unpacker) besidesOf(width, row, channel int) []uint32 {
	if u.besides == nil {
		u.besides = make([]uint32, u.blocks.width)
	}
	v := u.besides[:width]
	if u.planar {
		u.numbers(v, u.planes[channel][row*u.row:], 0, 1)
	} else {
		u.numbers(v, u.planes[0][row*u.row:], channel, u.together)
	}
	return v
}

// numbers reads the samples of one channel. Those of 64 bits become floats of 32.
func (u *unpacker) numbers(dst []uint32, row []byte, first, step int) {
	switch u.bits {
	case 1:
		for x := range dst {
			at := first + step*x
			dst[x] = uint32(row[at/8]) >> (7 - at%8) & 1
		}
	case 8:
		for x := range dst {
			dst[x] = uint32(row[first+step*x])
		}
	case 16:
		for x := range dst {
			dst[x] = uint32(u.order.Uint16(row[2*(first+step*x):]))
		}
	case 24:
		high, low := 0, 2
		if u.little() {
			high, low = 2, 0
		}
		for x := range dst {
			b := row[3*(first+step*x):][:3]
			dst[x] = uint32(b[high])<<16 | uint32(b[1])<<8 | uint32(b[low])
		}
	case 32:
		for x := range dst {
			dst[x] = u.order.Uint32(row[4*(first+step*x):])
		}
	case 64:
		for x := range dst {
			dst[x] = math.Float32bits(float32(math.Float64frombits(u.order.Uint64(row[8*(first+step*x):]))))
		}
	default: // bits one after the other, the highest first
		for x := range dst {
			v := uint32(0)
			for at, left := u.bits*(first+step*x), u.bits; left > 0; {
				n := min(left, 8-at%8)
				v = v<<n | uint32(row[at/8])<<(at%8)&0xff>>(8-n)
				at, left = at+n, left-n
			}
			dst[x] = v
		}
	}
}

// upper brings a sample of a colour to 8 bits.
func (u *unpacker) upper(v uint32) uint8 {
	switch {
	case u.bits >= 8:
		return uint8(v >> (u.bits - 8))
	case u.bits == 1:
		return uint8(-v)
	}
	return uint8(v * 255 / (1<<u.bits - 1))
}

// convertGray does as Pillow: up to 8 bits, white is as white as can be; of more bits, and
// of floating-point numbers, values are brought into 0 to 255 as they are.
func (u *unpacker) convertGray(dst []uint8) {
	white := uint8(0)
	if u.photometric == whiteIsZero {
		white = 0xff
	}
	for x, v := range u.values[0][:len(dst)/3] {
		var g uint8
		switch {
		case u.format == floating:
			g = cutFloat(u.float(v))
		case u.format == signed && u.bits == 16:
			g = clamp(int32(int16(v)))
		case u.cut && u.bits == 32:
			g = clamp(int32(v))
		case u.cut && u.bits > 8:
			g = uint8(min(v, 255))
		default:
			g = u.upper(v) ^ white
		}
		if u.premultiplied {
			g = divided(g, u.upper(u.values[1][x]), g)
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = g, g, g
	}
}

func (u *unpacker) float(v uint32) float32 {
	if u.bits != 16 {
		return math.Float32frombits(v)
	}
	sign, exponent, fraction := v>>15<<31, v>>10&31, v&1023
	switch exponent {
	case 0:
		return math.Float32frombits(sign|0x3f800000) * float32(fraction) / (1 << 24)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

func cutFloat(v float32) uint8 {
	switch {
	case !(v > 0):
		return 0
	case v >= 255:
		return 255
	}
	return uint8(v)
}

func (u *unpacker) convertRGB(dst []uint8) {
	v := &u.values
	for x := range len(dst) / 3 {
		for c := range 3 {
			dst[3*x+c] = u.upper(v[c][x])
		}
		if u.premultiplied {
			a := u.upper(v[3][x])
			for c := range 3 {
				dst[3*x+c] = divided(dst[3*x+c], a, 0)
			}
		}
	}
}

// divided undoes a product with alpha.
func divided(v, alpha, hidden uint8) uint8 {
	switch alpha {
	case 0:
		return hidden
	case 255:
		return v
	}
	return uint8(min(255, 255*int(v)/int(alpha)))
}
