package jpeg

// show writes a block's pixels, given its coefficients before quantization was undone.
func (c *component) show(x, y int, v *[64]int16) {
	var values [64]int16
	sum := int64(0)
	for i := range 8 {
		u := int32(v[i]) * c.quant[i]
		values[i] = int16(u)
		sum += int64(max(u, -u))
		if v[i+8]|v[i+16]|v[i+24]|v[i+32]|v[i+40]|v[i+48]|v[i+56] == 0 {
			continue
		}
		for j := i + 8; j < 64; j += 8 {
			u := int32(v[j]) * c.quant[j]
			values[j] = int16(u)
			sum += int64(max(u, -u))
		}
	}
	c.draw(x, y, &values, sum)
}

// small is a sum of coefficients up to which nothing in their transform is out of 16
// bits: a pass makes a value at most 5.6 times as large.
const small = 5000

// draw writes a block's pixels, given the sum of its coefficients' sizes.
func (c *component) draw(x, y int, v *[64]int16, sum int64) {
	switch {
	case c.side == 1:
		c.pixels[y*c.stride+x] = clamp((int32(v[0]) + 128*8 + 4) >> 3)
	case sum > small:
		c.transformLarge(x, y, v)
	default:
		c.transform(x, y, v)
	}
}

// transform is the inverse cosine transform of Loeffler, Ligtenberg and Moschytz
// ("Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989) in
// libjpeg's fixed point, 13 bits of fraction in the factors and 2 more between columns
// and rows.
func (c *component) transform(x, y int, v *[64]int16) {
	const half1, shift1 = 1 << 10, 11
	const half2, shift2 = 1<<17 + 128<<18, 18 // 128: samples are stored less that
	var b [64]int32
	for i := range 8 {
		dc := int32(v[i])
		if v[i+8]|v[i+16]|v[i+24]|v[i+32]|v[i+40]|v[i+48]|v[i+56] == 0 { // most columns
			dc <<= 13 - shift1
			b[i], b[i+8], b[i+16], b[i+24], b[i+32], b[i+40], b[i+48], b[i+56] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		s0, s1, s2, s3, s4, s5, s6, s7 := transform8(dc, int32(v[i+8]), int32(v[i+16]), int32(v[i+24]),
			int32(v[i+32]), int32(v[i+40]), int32(v[i+48]), int32(v[i+56]), half1)
		b[i], b[i+8], b[i+16], b[i+24] = s0>>shift1, s1>>shift1, s2>>shift1, s3>>shift1
		b[i+32], b[i+40], b[i+48], b[i+56] = s4>>shift1, s5>>shift1, s6>>shift1, s7>>shift1
	}
	stride := 8 * c.stride
	for i := range 8 {
		r := (*[8]int32)(b[8*i:])
		s0, s1, s2, s3, s4, s5, s6, s7 := transform8(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], half2)
		out := (*[8]uint8)(c.pixels[(8*y+i)*stride+8*x:])
		out[0], out[1], out[2], out[3] = clamp(s0>>shift2), clamp(s1>>shift2), clamp(s2>>shift2), clamp(s3>>shift2)
		out[4], out[5], out[6], out[7] = clamp(s4>>shift2), clamp(s5>>shift2), clamp(s6>>shift2), clamp(s7>>shift2)
	}
}

// transform8 transforms 8 values. The results are still to be divided by a power
// of two, half of which is in them already if given. Arguments and results are
// as many as go in registers.
func transform8(b0, b1, b2, b3, b4, b5, b6, b7, half int32) (_, _, _, _, _, _, _, _ int32) {
	z := (b2 + b6) * 4433 // √2 cos 3π/8
	t2, t3 := z-b6*15137, z+b2*6270
	t0, t1 := (b0+b4)<<13+half, (b0-b4)<<13+half
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	z5 := (b7 + b3 + b5 + b1) * 9633
	z1, z2 := -(b7+b1)*7373, -(b5+b3)*20995
	z3, z4 := z5-(b7+b3)*16069, z5-(b5+b1)*3196
	o0 := b7*2446 + z1 + z3
	o1 := b5*16819 + z2 + z4
	o2 := b3*25172 + z2 + z3
	o3 := b1*12299 + z1 + z4
	return e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3
}

// transformLarge is transform for coefficients that no picture has, but damaged data:
// what goes out of 16 bits does so as in libjpeg-turbo's code for AVX2.
func (c *component) transformLarge(x, y int, v *[64]int16) {
	var b [64]int16
	flat := true // every column
	for _, u := range v[8:] {
		flat = flat && u == 0
	}
	for i := range 8 {
		if flat {
			for j := range 8 {
				b[8*j+i] = v[i] << 2
			}
			continue
		}
		for j, s := range wrapping8([8]int16{v[i], v[i+8], v[i+16], v[i+24], v[i+32], v[i+40], v[i+48], v[i+56]}) {
			b[8*j+i] = saturated((s + 1<<10) >> 11)
		}
	}
	for i := range 8 {
		out := c.pixels[(8*y+i)*8*c.stride+8*x:]
		for j, s := range wrapping8([8]int16(b[8*i:])) {
			out[j] = clamp(int32(saturated((s+1<<17)>>18)) + 128)
		}
	}
}

// wrapping8 is transform8 whose sums of two values wrap round at 16 bits.
func wrapping8(b [8]int16) [8]int32 {
	w := func(i int) int32 { return int32(b[i]) }
	t2, t3 := w(2)*4433+w(6)*(4433-15137), w(2)*(4433+6270)+w(6)*4433
	t0, t1 := int32(b[0]+b[4])<<13, int32(b[0]-b[4])<<13
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	p, q := int32(b[7]+b[3]), int32(b[5]+b[1])
	z3, z4 := p*(9633-16069)+q*9633, p*9633+q*(9633-3196)
	o0 := w(7)*(2446-7373) - w(1)*7373 + z3
	o1 := w(5)*(16819-20995) - w(3)*20995 + z4
	o2 := -w(5)*20995 + w(3)*(25172-20995) + z3
	o3 := -w(7)*7373 + w(1)*(12299-7373) + z4
	return [8]int32{e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3}
}

func saturated(v int32) int16 { return int16(max(-1<<15, min(v, 1<<15-1))) }

// clamp brings v into 0..255.
func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}
