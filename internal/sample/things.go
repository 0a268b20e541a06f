package sample

import "math"

// Scenes of things: flowers, fish, planets.

func flowers(c *canvas) {
	back := one(c,
		[]rgb{hex(0x2f5d2a), hex(0x6b9b45)},
		[]rgb{hex(0x1e3b2c), hex(0x3f6b3d)},
		[]rgb{hex(0x7fb2d9), hex(0x8db86a)},
		[]rgb{hex(0x4a3b2a), hex(0x7f8f45)},
		[]rgb{hex(0xb9cf9a), hex(0x6fa05a)},
	)
	back = []rgb{c.vary(back[0], 15), c.vary(back[1], 15)}
	c.wash(0, 1, func(x, y float64) (rgb, float64) {
		return mix(back[0], back[1], y*0.6+c.clouds(0, x*3, y*3)*0.6), 1
	})
	for range c.count(6, 18) { // what is out of focus
		r := c.between(0.03, 0.12)
		c.fill(disc(c.between(0, 1), c.between(0, 1), r), veil(mix(back[c.count(0, 1)], white, c.between(0, 0.5)), 0.25))
	}
	kind := one(c,
		[]rgb{hex(0xf6b911), hex(0xfde04a), hex(0x4a2a10)}, // petals' base and tip, centre
		[]rgb{hex(0xe8e4f0), hex(0xffffff), hex(0xf0b820)},
		[]rgb{hex(0xc7286f), hex(0xf58ab8), hex(0xf2c530)},
		[]rgb{hex(0x6a3fb0), hex(0xb095e6), hex(0xf3cf45)},
		[]rgb{hex(0xd33a1c), hex(0xf98a2c), hex(0x3b1a12)},
		[]rgb{hex(0xf0820f), hex(0xfbc23a), hex(0x55300f)},
	)
	n := one(c, 1, 1, 1, 2, 3, 5)
	for i := range n {
		r := c.between(0.3, 0.45)
		x, y := c.between(0.35, 0.65), c.between(0.32, 0.58)
		if n > 1 {
			r = c.between(0.7, 1.1) * 0.3 / math.Sqrt(float64(n)/1.6)
			x, y = (float64(i)+c.between(0.3, 0.7))/float64(n), c.between(0.2, 0.7)
		}
		c.flower(x, y, r, kind)
	}
}

// flower has its centre at (x, y) and petals of length r; the stem goes down.
func (c *canvas) flower(x, y, r float64, kind []rgb) {
	green := c.vary(hex(0x3f7a2c), 14)
	bend := c.between(-0.15, 0.15)
	stem := []point{{x, y}, {x + bend*0.3, y + 0.35}, {x + bend, y + 0.8}, {x + bend*1.2, 1.2}}
	c.stroke(stem, 0.07*r+0.008, flat(green))
	leaf := petal(0.32, 0.4)
	for _, side := range []float64{-1, 1} {
		if c.chance(0.7) {
			c.fill(placed(leaf, x+bend*0.3, y+c.between(0.3, 0.5), r*0.9, math.Pi/2+side*c.between(0.7, 1.2)), flat(mix(green, white, 0.08)))
		}
	}

	petals, layers := c.count(9, 22), c.count(1, 2)
	wide, tip := c.between(1.1, 1.7)*math.Pi/float64(petals), c.between(0.35, 0.7)
	turn := c.between(0, 2*math.Pi)
	heart := c.between(0.28, 0.46)
	for layer := range layers {
		for i := range petals {
			angle := turn + 2*math.Pi*(float64(i)+0.5*float64(layer))/float64(petals) + c.between(-0.06, 0.06)
			length := r * c.between(0.92, 1.06) * (1 - 0.14*float64(layer))
			base, end := c.vary(kind[0], 10), c.vary(kind[1], 8)
			if layer == 0 {
				base, end = mix(base, black, 0.18), mix(end, black, 0.1)
			}
			outline := placed(petal(wide, tip), x, y, length, angle)
			sin, cos := math.Sincos(angle)
			c.fill(outline, func(px, py float64) (rgb, float64) {
				along := ((px-x)*cos + (py-y)*sin) / length
				across := ((py-y)*cos - (px-x)*sin) / length
				fold := 0.3 * (1 - smooth(0, wide*0.4, math.Abs(across)))
				return mix(mix(base, end, smooth(heart, 1, along)), mix(base, black, 0.3), fold*(1.1-along)), 1
			})
		}
	}
	c.fill(disc(x, y, heart*r), func(px, py float64) (rgb, float64) {
		return mix(mix(kind[2], white, 0.12), mix(kind[2], black, 0.45), hypot(px-x-0.1*r*heart, py-y-0.15*r*heart)/(heart*r)), 1
	})
	const golden = 2.39996322972865332 // the angle between a sunflower's seeds
	seeds := c.count(60, 150)
	for i := range seeds {
		d := heart * r * 0.95 * math.Sqrt((float64(i)+0.5)/float64(seeds))
		sin, cos := math.Sincos(golden * float64(i))
		c.fill(disc(x+d*cos, y+d*sin, 0.42*heart*r/math.Sqrt(float64(seeds))), veil(mix(kind[2], hex(0xfff0b0), 0.4), 0.55))
	}
}

// petal points along x, from 0 to 1, and is wide at the place tip.
func petal(wide, tip float64) []point {
	const n = 14
	outline := make([]point, 0, 2*n)
	for i := range 2 * n {
		t := float64(i) / n
		side := 1.0
		if i >= n {
			t, side = 2-t, -1
		}
		w := math.Sqrt(t) * math.Sqrt(1-t) * (0.7 + 0.6*smooth(0, 1, 1-math.Abs(t-tip)))
		outline = append(outline, point{t, side * wide * w})
	}
	return outline
}

func fish(c *canvas) {
	sea := one(c,
		[]rgb{hex(0x7fd6e0), hex(0x1f8fb5), hex(0x0b3f6b)},
		[]rgb{hex(0x9be3cf), hex(0x2a9d8f), hex(0x0f4c4a)},
		[]rgb{hex(0x5fb0e8), hex(0x1d5fb0), hex(0x0a2458)},
		[]rgb{hex(0x8fbfb0), hex(0x3f7f78), hex(0x1a3a3f)},
	)
	for i := range sea {
		sea[i] = c.vary(sea[i], 14)
	}
	c.wash(0, 1, vertical(0, 1, sea...))
	from := c.between(-0.2, 1.2)
	for range c.count(3, 8) { // sunbeams
		x, w, lean := c.between(0, 1), c.between(0.02, 0.09), 0.7
		foot := x + (x-from)*lean
		c.fill([]point{{x - w/2, -0.02}, {x + w/2, -0.02}, {foot + w, 0.95}, {foot - w, 0.95}}, func(px, py float64) (rgb, float64) {
			return white, 0.2 * clamp(1-py*1.05)
		})
	}
	if c.chance(0.75) {
		sand := mix(c.vary(one(c, hex(0xe0cf9a), hex(0xb59f78), hex(0x6f7f78)), 14), sea[1], 0.35)
		bed, base := c.ridge(4, 0.04, 0.5), c.between(0.82, 0.94)
		c.fill(ground(bed, base), func(x, y float64) (rgb, float64) {
			return mix(sand, sea[2], smooth(base-0.05, 1.1, y)*0.5+(c.clouds(3, x*12, y*30)-0.5)*0.5), 1
		})
		weed := c.vary(one(c, hex(0x2f7d4f), hex(0x6b8f3a), hex(0x8a3f5f), hex(0xb5533c)), 14)
		for range c.count(0, 16) {
			x := c.between(0, 1)
			c.weed(x, base+bed.at(x)+0.03, c.between(0.1, 0.38), flat(mix(c.vary(weed, 12), sea[1], 0.2)))
		}
	}
	n := c.count(1, 8)
	school := c.chance(0.5) // all of a kind and one way
	kind, facing := c.fishKind(), one(c, -1.0, 1)
	for _, at := range c.scatter(n, point{0.15, 0.14}, point{0.85, 0.78}) {
		if !school {
			kind, facing = c.fishKind(), one(c, -1.0, 1)
		}
		s := c.between(0.8, 1.25) * (0.1 + 0.17/math.Sqrt(float64(n)))
		c.fish(at.x, at.y, s, facing, c.between(-0.25, 0.25), kind)
	}
	for range c.count(0, 5) { // strings of bubbles
		x, y := c.between(0.05, 0.95), c.between(0.3, 0.95)
		for range c.count(2, 7) {
			r := c.between(0.005, 0.018)
			c.fill(disc(x, y, r), veil(white, 0.25))
			c.fill(disc(x-0.3*r, y-0.3*r, 0.4*r), veil(white, 0.6))
			x, y = x+c.between(-0.02, 0.02), y-c.between(0.03, 0.07)
		}
	}
}

// weed waves from its foot at (x, y) upwards.
func (c *canvas) weed(x, y, height float64, p paint) {
	phase, swing := c.between(0, 6), c.between(0.01, 0.035)
	var left, right []point
	for i := range 16 {
		t := float64(i) / 15
		at := x + swing*(math.Sin(phase+t*7)-math.Sin(phase))*t
		w := 0.011 * (1 - t*0.85)
		left, right = append(left, point{at - w, y - t*height}), append([]point{{at + w, y - t*height}}, right...)
	}
	c.fill(append(left, right...), p)
}

// fishKind is what fish of a kind share.
type fishKind struct {
	body, fin, stripe rgb
	high              float64 // height over length
	stripes           int
}

func (c *canvas) fishKind() fishKind {
	p := one(c,
		[]rgb{hex(0xf47b20), hex(0xd9541a), hex(0xfdf6ea)},
		[]rgb{hex(0xf7d038), hex(0xe0a91c), hex(0x2b2b33)},
		[]rgb{hex(0xd9e0e6), hex(0x9fb0bd), hex(0x5a7389)},
		[]rgb{hex(0x3f6fd8), hex(0xf2d03a), hex(0x1a2a66)},
		[]rgb{hex(0xd8405a), hex(0x9f2440), hex(0xf8d6d0)},
		[]rgb{hex(0x7fc98f), hex(0x3f8f6a), hex(0x245a4f)},
	)
	return fishKind{c.vary(p[0], 12), c.vary(p[1], 12), p[2], c.between(0.28, 0.52), c.count(0, 4)}
}

// fish has its middle at (x, y) and is 2*s long; facing is 1 (right) or -1.
func (c *canvas) fish(x, y, s, facing, tilt float64, k fishKind) {
	half := func(t float64) float64 { // of the body's height, t from nose (0) to tail (1)
		return k.high * (math.Sqrt(t)*(1-t)*2.1 + 0.12*t)
	}
	place := func(outline []point) []point {
		mirrored := make([]point, len(outline))
		for i, v := range outline {
			mirrored[i] = point{v.x * facing, v.y}
		}
		return placed(mirrored, x, y, s, tilt*facing)
	}
	h := k.high
	fork := c.between(0.5, 0.8)
	c.fill(place([]point{{-0.66, -0.08 * h}, {-1.05, -fork * h * 1.3}, {-0.93, 0}, {-1.05, fork * h * 1.3}, {-0.66, 0.08 * h}}), flat(k.fin))
	c.fill(place([]point{{0.3, -0.8 * h}, {0.05, -1.35 * h}, {-0.35, -1.2 * h}, {-0.4, -0.5 * h}}), flat(k.fin))
	c.fill(place([]point{{0.1, 0.7 * h}, {-0.15, 1.3 * h}, {-0.35, 1.05 * h}, {-0.3, 0.5 * h}}), flat(k.fin))

	const n = 20
	above, below := make([]point, n+1), make([]point, n+1)
	for i := range n + 1 {
		t := float64(i) / n
		above[i], below[n-i] = point{0.8 - 1.55*t, -half(t)}, point{0.8 - 1.55*t, half(t)}
	}
	c.fill(place(append(above, below...)), func(px, py float64) (rgb, float64) { // light back, dark belly
		return mix(mix(k.body, white, 0.25), mix(k.body, black, 0.3), 0.5+(py-y)/(2*s*h)), 1
	})
	for i := range k.stripes {
		lo := 0.3 + 0.5*float64(i)/float64(k.stripes)
		hi := lo + 0.2/float64(k.stripes)
		var front, rear []point
		for j := range 9 {
			side := float64(j)/4 - 1
			bulge := 0.06 * (1 - side*side)
			front = append(front, point{0.8 - 1.55*lo + bulge, side * half(lo) * 0.97})
			rear = append([]point{{0.8 - 1.55*hi + bulge, side * half(hi) * 0.97}}, rear...)
		}
		c.fill(place(append(front, rear...)), veil(k.stripe, 0.9))
	}
	c.fill(place([]point{{0.12, 0.05 * h}, {-0.22, 0.45 * h}, {-0.25, 0.1 * h}}), veil(mix(k.fin, black, 0.15), 0.8))
	c.fill(place(disc(0.53, -0.14*h, 0.075)), flat(white))
	c.fill(place(disc(0.55, -0.14*h, 0.045)), flat(hex(0x101018)))
}

func planets(c *canvas) {
	deep := c.vary(one(c, hex(0x07091a), hex(0x120a22), hex(0x04141c), hex(0x0c0c10)), 4)
	cloud := one(c, hex(0x4a2f7f), hex(0x1f4f7f), hex(0x7f2f4a), hex(0x2f6f5f))
	strength := c.between(0, 0.7)
	c.wash(0, 1, func(x, y float64) (rgb, float64) {
		return mix(deep, cloud, strength*smooth(0.45, 0.85, c.clouds(0, x*2.2, y*2.2))), 1
	})
	for range c.count(50, 220) {
		b := c.between(0, 1)
		star := mix(white, one(c, hex(0x9fc4ff), hex(0xffd9a0)), c.between(0, 0.7))
		c.fill(disc(c.between(0, 1), c.between(0, 1), 0.0015+0.0035*b*b*b), veil(star, 0.4+0.6*b))
	}
	light := c.between(-math.Pi, math.Pi)
	r := c.between(0.14, 0.38)
	x, y := c.between(0.3, 0.7), c.between(0.3, 0.7)
	moons := c.count(0, 3)
	c.planet(x, y, r, light, c.chance(0.4))
	for range moons {
		angle, away := c.between(0, 2*math.Pi), r*c.between(1.5, 2.4)
		sin, cos := math.Sincos(angle)
		c.planet(x+away*cos, y+away*sin, r*c.between(0.1, 0.28), light, false)
	}
}

// planet is a lit ball, banded or mottled; its ring passes behind and in front.
func (c *canvas) planet(x, y, r, light float64, ringed bool) {
	p := one(c,
		[]rgb{hex(0xc98f5a), hex(0xf0d8b0), hex(0x9a5f3a)},
		[]rgb{hex(0x2f6fbf), hex(0x3f9f6a), hex(0xe8f0f4)},
		[]rgb{hex(0xb5482a), hex(0xd98a5a), hex(0x7f2f20)},
		[]rgb{hex(0x8fa0ad), hex(0xc9d3d8), hex(0x5a6872)},
		[]rgb{hex(0x4f9fb5), hex(0xa8dde0), hex(0x2f6f95)},
		[]rgb{hex(0xd9c27a), hex(0xf5e8c0), hex(0xa88a4a)},
		[]rgb{hex(0x8a5fb0), hex(0xc9a0dd), hex(0x5f3f8a)},
	)
	banded, layer := c.chance(0.5), c.count(1, 1<<20)
	tilt := c.between(-0.6, 0.6)
	sin, cos := math.Sincos(tilt)
	lx, ly := math.Cos(light)*0.8, math.Sin(light)*0.8

	flatness, inner, outer := c.between(0.15, 0.4), c.between(1.25, 1.5), c.between(1.8, 2.3)
	ring := func(front bool) {
		if !ringed {
			return
		}
		from := 0.0
		if !front {
			from = math.Pi
		}
		const n = 40
		var rim, hole []point
		for i := range n + 1 {
			s, k := math.Sincos(from + math.Pi*float64(i)/n)
			rim = append(rim, point{outer * k, outer * flatness * s})
			hole = append([]point{{inner * k, inner * flatness * s}}, hole...)
		}
		c.fill(placed(append(rim, hole...), x, y, r, tilt), func(px, py float64) (rgb, float64) {
			u, v := ((px-x)*cos+(py-y)*sin)/r, ((py-y)*cos-(px-x)*sin)/r/flatness
			d := hypot(u, v)
			return mix(p[1], p[0], c.noise(layer+50, d*14, 0)), 0.35 + 0.55*c.noise(layer+51, d*22, 0)
		})
	}
	ring(false)
	c.wash(y-1.3*r, y+1.3*r, glow(x, y, 1.25*r, p[1], 0.8)) // air
	c.fill(disc(x, y, r), func(px, py float64) (rgb, float64) {
		nx, ny := (px-x)/r, (py-y)/r
		nz := math.Sqrt(max(0, 1-nx*nx-ny*ny))
		u, v := nx*cos+ny*sin, ny*cos-nx*sin
		var col rgb
		if banded {
			swirl := 0.25 * c.clouds(layer, u*3+7, v*6)
			col = ramp(c.noise(layer+9, 3, v*4.5+swirl*2), p[2], p[0], p[1], p[0], p[2])
		} else {
			bulge := 1.5 + 1/(0.5+nz) // features crowd towards the edge
			col = ramp(1.6*c.clouds(layer, u*bulge+11, v*bulge+11)-0.3, p[0], p[0], p[1], p[2])
		}
		lit := nx*lx + ny*ly + nz*0.6
		return mix(mix(col, black, 0.92), mix(col, white, 0.12*clamp(lit)), smooth(-0.15, 0.75, lit)), 1
	})
	ring(true)
}
