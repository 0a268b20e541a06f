package jpeg

// transform writes a block's pixels: the inverse cosine transform of Loeffler,
// Ligtenberg and Moschytz ("Practical fast 1-D DCT algorithms with 11
// multiplications", ICASSP 1989) in libjpeg's fixed point, 13 bits of fraction in
// the factors and 2 more between columns and rows.
func (c *component) transform(x, y int, v *[64]int16, q *[64]int32) {
	if c.side == 1 {
		c.pixels[y*c.stride+x] = clamp((int32(v[0])*q[0] + 128*8 + 4) >> 3)
		return
	}
	const half1, shift1 = 1 << 10, 11
	const half2, shift2 = 1<<17 + 128<<18, 18 // 128: samples are stored less that
	var b [64]int32
	for i := range 8 {
		dc := int32(v[i]) * q[i]
		if v[i+8]|v[i+16]|v[i+24]|v[i+32]|v[i+40]|v[i+48]|v[i+56] == 0 { // most columns
			dc = (dc<<13 + half1) >> shift1
			b[i], b[i+8], b[i+16], b[i+24], b[i+32], b[i+40], b[i+48], b[i+56] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		s0, s1, s2, s3, s4, s5, s6, s7 := transform8(dc, int32(v[i+8])*q[i+8], int32(v[i+16])*q[i+16], int32(v[i+24])*q[i+24],
			int32(v[i+32])*q[i+32], int32(v[i+40])*q[i+40], int32(v[i+48])*q[i+48], int32(v[i+56])*q[i+56], half1)
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

// clamp brings v into 0..255.
func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}
