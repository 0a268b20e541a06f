package sample

import "math"

// Scenes that fill the picture with many like parts: bricks, skyline, tiger.

func bricks(c *canvas) {
	p := one(c,
		[]rgb{hex(0xa8482f), hex(0xcfc4b4)},
		[]rgb{hex(0x8a3a2c), hex(0x8f857a)},
		[]rgb{hex(0xc08a55), hex(0xe0d6c0)},
		[]rgb{hex(0x9a9590), hex(0x6f6a66)},
		[]rgb{hex(0xd9d4c8), hex(0xa8a298)},
		[]rgb{hex(0x6b4a3c), hex(0xb5aa9a)},
	)
	brick, mortar := c.vary(p[0], 16), c.vary(p[1], 12)
	c.wash(0, 1, func(x, y float64) (rgb, float64) {
		return mix(mortar, mix(mortar, black, 0.4), c.clouds(0, x*30, y*30)), 1
	})
	rows := c.count(7, 15)
	h := 1 / float64(rows)
	w := h * c.between(1.9, 2.9)
	joint := h * c.between(0.07, 0.14)
	angle := c.between(-0.12, 0.12)
	offset := one(c, 0.5, 0.5, 1.0/3)
	shade := c.between(8, 30)
	for i := -4; i < rows+4; i++ {
		shift := float64(i)*offset - math.Floor(float64(i)*offset) + c.between(-0.02, 0.02)
		for j := -4; float64(j)*w < 1.5; j++ {
			col := c.vary(brick, int(shade))
			if c.chance(0.08) {
				col = mix(col, black, 0.3)
			}
			x, y := (float64(j)+shift)*w-0.5, float64(i)*h-0.5
			wobble := func() float64 { return c.between(-0.02, 0.02) * h }
			outline := []point{
				{x + joint + wobble(), y + joint + wobble()}, {x + w + wobble(), y + joint + wobble()},
				{x + w + wobble(), y + h + wobble()}, {x + joint + wobble(), y + h + wobble()},
			}
			outline = placed(outline, 0.5, 0.5, 1, angle)
			c.fill(placed(outline, 0.25*joint, 0.35*joint, 1, 0), veil(black, 0.45)) // its shadow
			c.fill(outline, func(px, py float64) (rgb, float64) {
				return mix(mix(col, white, 0.1), mix(col, black, 0.35), c.clouds(1, px*26, py*34)), 1
			})
		}
	}
	if c.chance(0.35) {
		c.window(c.between(0.3, 0.7), c.between(0.35, 0.65), c.between(0.14, 0.22), angle)
	}
	if c.chance(0.35) { // ivy grows from a corner
		leaf := c.vary(one(c, hex(0x3f6f2c), hex(0x5a7f35), hex(0x8f4a2a)), 12)
		cx, cy := one(c, 0.0, 1), one(c, 0.0, 1)
		reach := c.between(0.3, 0.7)
		for range c.count(60, 220) {
			d, a := reach*c.between(0, 1)*c.between(0.3, 1), c.between(0, 2*math.Pi)
			sin, cos := math.Sincos(a)
			c.fill(placed(petal(0.42, 0.3), cx+d*cos, cy+d*sin, c.between(0.03, 0.06), c.between(0, 6.3)), flat(c.vary(leaf, 26)))
		}
	}
	lx, ly, strength := c.between(-0.3, 1.3), c.between(-0.3, 1.3), c.between(0.1, 0.65)
	c.wash(0, 1, func(x, y float64) (rgb, float64) { return black, strength * smooth(0.2, 1.4, hypot(x-lx, y-ly)) })
	if c.chance(0.3) { // a slanting shadow
		at, lean := c.between(0.2, 0.8), c.between(-0.5, 0.5)
		c.fill([]point{{at, -0.1}, {at + lean, 1.1}, {1.6, 1.1}, {1.6, -0.1}}, veil(hex(0x101828), 0.4))
	}
}

// window is r wide to each side of (x, y) and half as high again.
func (c *canvas) window(x, y, r, angle float64) {
	frame := c.vary(one(c, hex(0xf0ece2), hex(0x3f5a4a), hex(0x5a3a28)), 10)
	part := func(x0, y0, x1, y1 float64, p paint) {
		c.fill(placed(rectangle(x0, y0, x1, y1), x, y, r, angle), p)
	}
	part(-1.1, -1.6, 1.1, 1.6, flat(frame))
	glass := vertical(y-1.5*r, y+1.5*r, hex(0x9fc0d4), hex(0x3f5a70), hex(0x1f2f3f))
	part(-0.95, -1.45, -0.05, -0.05, glass)
	part(0.05, -1.45, 0.95, -0.05, glass)
	part(-0.95, 0.05, -0.05, 1.45, glass)
	part(0.05, 0.05, 0.95, 1.45, glass)
	part(-1.25, 1.55, 1.25, 1.75, flat(mix(frame, black, 0.2)))
}

func skyline(c *canvas) {
	sky := one(c,
		[]rgb{hex(0x070b1f), hex(0x14224a), hex(0x3a3f73)},
		[]rgb{hex(0x0d0a20), hex(0x3a1f4f), hex(0xb0563f)},
		[]rgb{hex(0x0a1420), hex(0x16384a), hex(0x3f7078)},
		[]rgb{hex(0x141a33), hex(0x54487a), hex(0xd9929a)},
		[]rgb{hex(0x101012), hex(0x26262e), hex(0x6a5a48)},
	)
	for i := range sky {
		sky[i] = c.vary(sky[i], 6)
	}
	street := c.between(0.74, 1.02)
	c.wash(0, 1, vertical(0, street, sky...))
	for range c.count(10, 90) {
		c.fill(disc(c.between(0, 1), c.between(0, 0.5), c.between(0.0015, 0.0035)), veil(white, c.between(0.3, 0.9)))
	}
	if c.chance(0.5) {
		x, y, r := c.between(0.12, 0.88), c.between(0.08, 0.25), c.between(0.03, 0.075)
		c.wash(0, 0.7, glow(x, y, 5*r, hex(0xd9e0f0), 0.4))
		c.fill(disc(x, y, r), flat(hex(0xf4f0dc)))
		c.fill(disc(x+r*0.3, y-r*0.2, r*0.25), veil(hex(0xc9c4b4), 0.5))
		c.fill(disc(x-r*0.35, y+r*0.3, r*0.18), veil(hex(0xc9c4b4), 0.5))
	}
	if c.chance(0.4) {
		c.drift(0, 0, street*0.8, 4, 4, 0.5, mix(sky[2], white, 0.1), 0.45)
	}
	lamps := one(c,
		[]rgb{hex(0xffd27a), hex(0xffe8b0), hex(0xf9b24a)},
		[]rgb{hex(0xfff4d8), hex(0xbfe0ff), hex(0xffd890)},
		[]rgb{hex(0xffc860), hex(0x7fe0e0), hex(0xff8fa0)},
	)
	tall := c.between(0.3, 0.62)
	lit := c.between(0.25, 0.65)
	for layer := range 3 {
		near := float64(layer) / 2
		wall := mix(mix(sky[2], sky[0], 0.35+0.3*near), black, 0.2+0.45*near)
		for x := c.between(-0.1, 0); x < 1; {
			w := c.between(0.06, 0.15)
			h := tall * c.between(0.35, 1.15) * (1 - 0.28*near)
			c.tower(x, street, w, h, c.vary(wall, 6), lamps, lit*(0.3+0.7*near))
			x += w * c.between(0.85, 1.3)
		}
	}
	if street < 0.92 {
		c.reflect(street, mix(mix(sky[1], sky[2], 0.6), lamps[0], 0.08), 0.5, 0.07)
		c.wash(street-0.012, street+0.012, func(x, y float64) (rgb, float64) { // lamps on the quay
			return lamps[0], 0.8 * (1 - math.Abs(y-street)/0.012) * smooth(0.45, 0.8, c.noise(201, x*60, 0))
		})
	} else {
		c.wash(street, 1, flat(mix(sky[0], black, 0.6)))
		c.wash(street-0.12, street, func(x, y float64) (rgb, float64) {
			return mix(lamps[0], black, 0.3), 0.3 * smooth(street-0.12, street, y)
		})
	}
}

// tower stands on y from x to x+w, with some of its windows lit.
func (c *canvas) tower(x, y, w, h float64, wall rgb, lamps []rgb, lit float64) {
	top := y - h
	c.fill(rectangle(x, top, x+w, y), flat(wall))
	switch c.count(0, 5) {
	case 0:
		c.fill([]point{{x, top}, {x + w/2, top - w*0.7}, {x + w, top}}, flat(wall))
	case 1:
		c.fill(rectangle(x+w*0.2, top-w*0.3, x+w*0.8, top), flat(wall))
		c.stroke([]point{{x + w/2, top}, {x + w/2, top - w*1.3}}, 0.006, flat(wall))
		c.fill(disc(x+w/2, top-w*1.3, 0.006), flat(hex(0xff4040)))
	case 2:
		c.fill([]point{{x, top}, {x, top - w*0.4}, {x + w, top}}, flat(wall))
	}
	columns := c.count(3, 6)
	pitch := w / (float64(columns) + 0.4)
	storey := pitch * c.between(1, 1.5)
	for v := top + storey*0.5; v+storey*0.6 < y; v += storey {
		for i := range columns {
			if u := x + (float64(i)+0.4)*pitch; c.chance(lit) {
				c.fill(rectangle(u, v, u+pitch*0.6, v+storey*0.55), veil(lamps[c.count(0, len(lamps)-1)], c.between(0.45, 1)))
			}
		}
	}
}

func tiger(c *canvas) {
	p := one(c,
		[]rgb{hex(0xd9822b), hex(0xf4dcb0), hex(0x1c120a)}, // back, belly, stripes
		[]rgb{hex(0xc8641e), hex(0xf0c890), hex(0x140c08)},
		[]rgb{hex(0xe3a84c), hex(0xf8ead0), hex(0x2b1a0e)},
		[]rgb{hex(0xb8702f), hex(0xdcb888), hex(0x20140c)},
		[]rgb{hex(0xdfe0dc), hex(0xf6f4ee), hex(0x2a2a2e)},
	)
	back, belly, dark := c.vary(p[0], 14), c.vary(p[1], 10), c.vary(p[2], 8)
	angle := c.between(-0.55, 0.55)
	sin, cos := math.Sincos(angle)
	stripes := c.between(3.5, 7.5)
	bend, fine := c.between(0.4, 1.1), c.between(0.15, 0.4)
	share := c.between(-0.75, -0.3) // of the dark
	fan := c.between(-0.6, 0.6)     // stripes spread out
	flank := c.between(0.45, 0.9)   // where the belly begins
	sharp := 0.5 * float64(c.size) / (2 * math.Pi * stripes)
	c.wash(0, 1, func(x, y float64) (rgb, float64) {
		u, v := (x-0.5)*cos+(y-0.5)*sin, (y-0.5)*cos-(x-0.5)*sin
		phase := stripes*u*(1+fan*v) + bend*(c.noise(0, x*2.3, y*2.3)-0.5)*2 + fine*(c.clouds(1, x*7, y*7)-0.5)*2
		// Stripes swell, taper, end and join where this noise says so.
		wave := math.Sin(2*math.Pi*phase) + share + 1.7*(c.noise(2, u*stripes*0.8, v*3.5)-0.5)
		fur := (c.clouds(3, u*70, v*16) - 0.5) * 0.7
		hide := mix(back, belly, smooth(flank-0.3, flank+0.3, y+(c.clouds(4, x*3, y*3)-0.5)*0.5))
		return mix(mix(mix(hide, white, max(0, fur)), black, max(0, -fur)), mix(dark, white, max(0, fur)*0.6), 0.5+wave*sharp), 1
	})
	cx, cy := c.between(0.1, 0.9), c.between(-0.1, 0.4)
	c.wash(0, 1, func(x, y float64) (rgb, float64) { // the body is round
		return black, 0.6 * smooth(0.25, 1.2, hypot(x-cx, y-cy))
	})
	c.wash(0, 1, glow(cx, cy, 0.7, white, 0.25))
}
