package sample

import (
	"math"
	"slices"
)

// Scenes with a sky: balloons, mountains, sunset, forest.

// drift paints clouds between top and bottom: banks stretched along x where the
// noise is above its threshold.
func (c *canvas) drift(layer int, top, bottom, scale, stretch, threshold float64, col rgb, opacity float64) {
	c.wash(top, bottom, func(x, y float64) (rgb, float64) {
		v := c.clouds(layer, x*scale/stretch, y*scale)
		edge := smooth(top, top+(bottom-top)*0.25, y) * (1 - smooth(bottom-(bottom-top)*0.25, bottom, y))
		return col, opacity * smooth(threshold, threshold+0.22, v) * edge
	})
}

// birds are small wings in a loose flock.
func (c *canvas) birds(n int, cx, cy, spread float64, col rgb) {
	for range n {
		x, y, s := cx+c.between(-spread, spread), cy+c.between(-spread, spread)/2, c.between(0.012, 0.024)
		lift := c.between(0.3, 0.7)
		c.stroke([]point{{x - s, y - s*lift}, {x - s*0.45, y - s*lift*0.9}, {x, y}, {x + s*0.45, y - s*lift*0.9}, {x + s, y - s*lift}}, 0.0055, flat(col))
	}
}

func sunset(c *canvas) {
	p := one(c,
		[]rgb{hex(0x2b2a5e), hex(0xb04a6e), hex(0xf98b45), hex(0xffd98a), hex(0x1b2440)},
		[]rgb{hex(0x274472), hex(0x8f7aa8), hex(0xf4a58a), hex(0xffe3b8), hex(0x1e3558)},
		[]rgb{hex(0x5c1f4a), hex(0xc93b4f), hex(0xf97f3a), hex(0xffd35f), hex(0x32122f)},
		[]rgb{hex(0x4f7cac), hex(0xa9b7c6), hex(0xf6cf94), hex(0xfff2cf), hex(0x2d4a63)},
		[]rgb{hex(0x7a3b1d), hex(0xd9772b), hex(0xf9b347), hex(0xffeaa0), hex(0x40210f)},
	)
	for i := range p {
		p[i] = c.vary(p[i], 14)
	}
	horizon := c.between(0.46, 0.7)
	r := c.between(0.05, 0.12)
	sx, sy := c.between(0.18, 0.82), horizon-c.between(-0.4*r, 0.28)

	c.wash(0, horizon, vertical(0, horizon, p[0], p[1], p[2], p[3]))
	c.wash(0, horizon, glow(sx, sy, c.between(0.4, 0.7), p[3], 0.8))
	c.drift(0, 0, horizon*1.02, c.between(4, 8), c.between(3, 6), c.between(0.42, 0.56), mix(p[1], p[0], c.between(0, 0.7)), 0.75)
	c.wash(0, horizon, glow(sx, sy, 4*r, mix(p[3], white, 0.3), 0.85))
	c.fill(disc(sx, sy, r), flat(mix(p[3], white, 0.75)))
	c.drift(1, horizon*0.4, horizon*1.05, c.between(6, 11), 6, 0.5, mix(p[3], p[2], 0.4), 0.6)

	if c.chance(0.5) { // a far coast
		coast := c.ridge(6, 0.035, 0.55)
		for i := range coast {
			coast[i] = -0.02 - math.Abs(coast[i])*smooth(0.1, 0.6, math.Abs(float64(i)/float64(len(coast)-1)-sx))*1.6
		}
		c.fill(ground(coast, horizon+0.02), flat(mix(p[4], p[2], 0.35)))
	}

	c.wash(horizon, 1, vertical(horizon, 1, mix(p[3], p[2], 0.5), mix(p[2], p[4], 0.55), p[4], mix(p[4], black, 0.3)))
	for range 90 { // waves: nearer ones are larger
		depth := c.between(0, 1)
		depth *= depth
		y := horizon + depth*(1-horizon)
		c.fill(ellipse(c.between(0, 1), y, 0.02+0.14*depth, 0.001+0.006*depth, 0), veil(one(c, p[4], mix(p[2], p[3], 0.5)), 0.3))
	}
	for range 120 { // the sun's path on the water
		depth := c.between(0, 1)
		depth *= depth
		y := horizon + depth*(1-horizon)
		spread := r*0.5 + 0.13*depth
		c.fill(ellipse(sx+c.between(-spread, spread), y, 0.012+0.035*depth, 0.0015+0.004*depth, 0), veil(mix(p[3], white, 0.4), 0.55))
	}

	dark := mix(p[4], black, 0.5)
	if c.chance(0.45) {
		sail := []point{{-0.5, 0}, {0.6, 0}, {0.42, 0.16}, {-0.38, 0.16}}
		main, jib := []point{{0.02, -0.08}, {0.02, -1.15}, {0.5, -0.08}}, []point{{-0.04, -0.08}, {-0.04, -0.95}, {-0.42, -0.08}}
		x, y, s := c.between(0.15, 0.85), horizon+c.between(0.015, 0.12), c.between(0.07, 0.17)
		for _, part := range [][]point{sail, main, jib} {
			c.fill(placed(part, x, y, s, 0), flat(dark))
		}
	}
	if c.chance(0.4) {
		c.birds(c.count(3, 7), c.between(0.2, 0.8), c.between(0.1, 0.3), 0.16, dark)
	}
}

func mountains(c *canvas) {
	sky := one(c,
		[]rgb{hex(0x3f7fc4), hex(0x8fbfe6), hex(0xd9ecf5)},
		[]rgb{hex(0x6b7fb5), hex(0xe0a8b4), hex(0xfbdcc0)},
		[]rgb{hex(0x8a97a6), hex(0xb7c1c9), hex(0xdde1e3)},
		[]rgb{hex(0x2e5d9e), hex(0x6fb0dd), hex(0xf2e6cf)},
		[]rgb{hex(0x433a6b), hex(0x9d6f9c), hex(0xf0b199)},
	)
	for i := range sky {
		sky[i] = c.vary(sky[i], 12)
	}
	rock := c.vary(one(c, hex(0x4a5468), hex(0x5b5a63), hex(0x5a4d48), hex(0x3f4f66)), 10)
	meadow := c.vary(one(c, hex(0x4d7a35), hex(0x6d8f3c), hex(0x2f5a3a), hex(0x8a8440), hex(0xc9d3dc)), 12)
	horizon := c.between(0.55, 0.75)
	c.wash(0, horizon+0.1, vertical(0, horizon, sky...))
	if c.chance(0.75) {
		c.drift(0, 0, horizon, c.between(3, 6), c.between(1.5, 3.5), c.between(0.42, 0.58), mix(sky[2], white, 0.6), 0.9)
	}

	ranges := c.count(2, 4)
	light := one(c, -1.0, 1)
	snow := c.between(-0.05, 0.75) // how far down it lies
	for i := range ranges {
		near := float64(i+1) / float64(ranges)
		base := horizon + 0.05
		p := c.peaks(c.count(1, 3), c.between(0.3, 0.5)*(1.3-0.65*near)*horizon/0.65, c.between(0.8, 1.4))
		summit := slices.Max(p)
		for i := range p {
			p[i] = -p[i]
		}
		haze := 0.7 * (1 - near)
		c.fill(ground(p, base), func(x, y float64) (rgb, float64) {
			altitude, depth := (base-y)/summit, y-base-p.at(x)
			slope := (p.at(x+0.02) - p.at(x-0.02)) / 0.04
			// Gullies run down the flanks: noise that is stretched along them.
			gully := c.clouds(10+i, x*13-depth*slope*9, y*9)
			shade := clamp(0.5 + light*slope*0.3 + (gully-0.5)*1.7)
			col := mix(mix(rock, black, 0.45), mix(rock, white, 0.25), shade)
			if cover := smooth(-0.05, 0.05, altitude-1+snow+(gully-0.5)*0.9); cover > 0 {
				col = mix(col, mix(mix(mix(sky[0], rock, 0.3), white, 0.45), white, smooth(0.2, 0.7, shade)), cover)
			}
			return mix(mix(col, sky[2], haze), mix(meadow, sky[2], haze*0.7), 1-smooth(0.03, 0.36, altitude)), 1
		})
	}

	if c.chance(0.4) { // a lake mirrors what is above it
		c.reflect(horizon+c.between(0.02, 0.06), mix(sky[1], rock, 0.3), 0.3, 0.02)
	} else {
		hill := c.ridge(5, 0.05, 0.5)
		base := c.between(0.78, 0.86)
		c.fill(ground(hill, base), func(x, y float64) (rgb, float64) {
			return mix(mix(meadow, sky[2], 0.15), mix(meadow, black, 0.45), smooth(0, 1, (y-base)/(1-base))*0.8+(c.clouds(30, x*9, y*18)-0.5)*0.6), 1
		})
		if c.chance(0.7) {
			tree := mix(mix(meadow, hex(0x1d3a2a), 0.7), black, 0.2)
			for range c.count(4, 30) {
				x := c.between(-0.05, 1.05)
				h := c.between(0.05, 0.13)
				c.conifer(x, base+hill.at(x)+c.between(0.01, 0.08), h, h*c.between(0.2, 0.28), flat(c.vary(tree, 10)))
			}
		}
	}
}

// peaks is a profile of n large peaks of about the given height with flanks of
// the given slope, roughened.
func (c *canvas) peaks(n int, height, slope float64) profile {
	p := c.ridge(7, height*0.28, 0.55)
	for range n {
		at, high, left, right := c.between(0, 1), height*c.between(0.65, 1), slope*c.between(0.7, 1.2), slope*c.between(0.7, 1.2)
		for i := range p {
			x := float64(i)/float64(len(p)-1) - at
			flank := high - max(-x*left, x*right)
			p[i] = max(p[i], flank+0.55*p[i])
		}
	}
	return p
}

// reflect mirrors the picture above the shore in the water below it, tinted and
// broken by waves that grow towards the viewer.
func (c *canvas) reflect(shore float64, tint rgb, opacity, waves float64) {
	line := int(shore * float64(c.size))
	for y := max(line, 1); y < c.size; y++ {
		for x := range c.size {
			px, py := c.centre(x, y)
			depth := py - shore
			swell := c.noise(200, px*7, py*60/(1+8*depth)) - 0.5
			from := 2*line - 1 - y + int(math.Round(swell*waves*(0.3+8*depth)*float64(c.size)))
			p := c.img.Pix[c.img.PixOffset(x, min(max(from, 0), max(line-1, 0))):]
			col := mix(rgb{int(p[0]), int(p[1]), int(p[2])}, tint, opacity+0.5*swell)
			c.blend(x, y, mix(col, black, depth), 256)
		}
	}
}

// conifer is a fir whose foot is at (x, y).
func (c *canvas) conifer(x, y, height, width float64, p paint) {
	tiers := c.count(4, 7)
	left, right := []point{{x, y - height}}, []point{}
	for i := range tiers {
		down := float64(i+1) / float64(tiers)
		w := width * down * c.between(0.85, 1.1)
		tip, notch := y-height*(1-down*0.93), y-height*(1-(down-0.3/float64(tiers))*0.93)
		left = append(left, point{x - w, tip}, point{x - w*0.55, notch})
		w *= c.between(0.85, 1.15)
		right = append(right, point{x + w, tip}, point{x + w*0.55, notch})
	}
	trunk := width * 0.12
	outline := append(left, point{x - trunk, y - height*0.07}, point{x - trunk, y}, point{x + trunk, y}, point{x + trunk, y - height*0.07})
	for i := len(right) - 1; i >= 0; i-- {
		outline = append(outline, right[i])
	}
	c.fill(outline, p)
}

func forest(c *canvas) {
	p := one(c,
		[]rgb{hex(0xdfe9e4), hex(0x8fb0a5), hex(0x12332e)},
		[]rgb{hex(0xf5e3c0), hex(0xb9a05e), hex(0x2e2a10)},
		[]rgb{hex(0xe6ecd2), hex(0x8fae62), hex(0x1a3312)},
		[]rgb{hex(0xcfdbe6), hex(0x7d95ad), hex(0x14243a)},
		[]rgb{hex(0xf3d3bf), hex(0xa8776a), hex(0x2b1820)},
	)
	for i := range p {
		p[i] = c.vary(p[i], 12)
	}
	c.wash(0, 1, vertical(0, 0.8, mix(p[0], p[1], c.between(0, 0.6)), p[0]))
	if c.chance(0.6) {
		x, y := c.between(0.15, 0.85), c.between(0.08, 0.35)
		c.wash(0, 1, glow(x, y, c.between(0.3, 0.6), white, 0.9))
		if c.chance(0.5) {
			c.fill(disc(x, y, c.between(0.03, 0.06)), veil(white, 0.8))
		}
	}
	if c.chance(0.4) {
		c.birds(c.count(2, 6), c.between(0.2, 0.8), c.between(0.08, 0.2), 0.14, mix(p[1], p[2], 0.5))
	}
	layers := c.count(3, 5)
	crowded := c.between(0.6, 1.5)
	top := c.between(0.3, 0.5)
	for i := range layers {
		near := float64(i) / float64(layers-1)
		col := ramp(0.12+0.88*near, p...)
		hill := c.ridge(5, 0.07, 0.5)
		base := top + 0.06 + near*(0.92-top)
		trees := int(math.Round(crowded * (34 - 24*near)))
		for range trees {
			x := c.between(-0.08, 1.08)
			h := (0.1 + 0.34*near*near) * c.between(0.6, 1.35)
			c.conifer(x, base+hill.at(x)+0.03, h, h*c.between(0.16, 0.25), flat(c.vary(col, 7)))
		}
		c.fill(ground(hill, base), flat(col))
		if i < layers-1 { // mist between the layers
			c.wash(base-0.12, 1, func(x, y float64) (rgb, float64) {
				return p[0], 0.5 * smooth(base-0.12, base+0.14, y) * (0.4 + c.clouds(i, x*2.5, y*5))
			})
		}
	}
}

func balloons(c *canvas) {
	sky := one(c,
		[]rgb{hex(0x3a8ad8), hex(0x8cc4ee), hex(0xdff0f8)},
		[]rgb{hex(0x6d9fd0), hex(0xf0c9b0), hex(0xfde8cc)},
		[]rgb{hex(0x2f6fb8), hex(0x63a9dd), hex(0xa8d5ec)},
		[]rgb{hex(0xb98fb8), hex(0xf0b8a5), hex(0xfbe3bd)},
		[]rgb{hex(0x9db4c4), hex(0xc3d2da), hex(0xe6ecee)},
	)
	for i := range sky {
		sky[i] = c.vary(sky[i], 12)
	}
	c.wash(0, 1, vertical(0, 1, sky...))
	c.drift(0, 0, 1, c.between(2.5, 5), c.between(1.3, 3), c.between(0.45, 0.6), mix(sky[2], white, 0.75), 0.9)
	if c.chance(0.5) {
		land := c.vary(one(c, hex(0x6a8f52), hex(0x8c9a5a), hex(0x5f7f78), hex(0xb08f5c)), 14)
		base := c.between(0.84, 0.96)
		c.fill(ground(c.ridge(5, 0.05, 0.5), base-0.06), flat(mix(land, sky[2], 0.6)))
		c.fill(ground(c.ridge(5, 0.04, 0.5), base), flat(mix(land, sky[2], 0.25)))
	}
	n := c.count(1, 6)
	largest := c.between(0.16, 0.27) / math.Sqrt(math.Sqrt(float64(n)))
	places := c.scatter(n, point{largest, largest * 1.1}, point{1 - largest, 0.95 - largest*2})
	for i, at := range places { // the far ones first
		c.balloon(at.x, at.y, largest*(0.4+0.6*float64(i+1)/float64(n))*c.between(0.9, 1.1))
	}
}

// balloon is a hot-air balloon whose widest part has its centre at (x, y).
func (c *canvas) balloon(x, y, r float64) {
	colours := one(c,
		[]rgb{hex(0xd8352a), hex(0xf6c945)},
		[]rgb{hex(0xd8352a), hex(0xf4f1e8), hex(0x2757a5)},
		[]rgb{hex(0xee7d2d), hex(0xfbe3a0), hex(0xc4322f)},
		[]rgb{hex(0x2b8f6a), hex(0xf2e04e)},
		[]rgb{hex(0x7b3f98), hex(0xf0a3c0), hex(0xfbf3d8)},
		[]rgb{hex(0x2f7fc1), hex(0xf5f5f0)},
		[]rgb{hex(0xe23d5b), hex(0xf59e38), hex(0xf7d93f), hex(0x4aa657), hex(0x3a76c4), hex(0x7a4aa0)},
	)
	// The envelope's half width at the parts of its height, from crown to mouth.
	var height, width []float64
	for i := range 25 {
		t := float64(i) / 24
		height = append(height, y-r+t*2.45*r)
		w := math.Sqrt(max(0, 1-(t*2.45-1)*(t*2.45-1)))
		if t > 0.5 { // below, it narrows like a drop
			w = 0.974 - 0.7*smooth(0.38, 1.16, t)
		}
		width = append(width, r*w)
	}
	meridian := func(angle float64) []point {
		var line []point
		for i := range width {
			line = append(line, point{x + width[i]*math.Sin(angle), height[i]})
		}
		return line
	}
	back := func(line []point) []point {
		var turned []point
		for i := len(line) - 1; i >= 0; i-- {
			turned = append(turned, line[i])
		}
		return turned
	}
	whole := append(meridian(-math.Pi/2), back(meridian(math.Pi/2))...)
	c.fill(whole, flat(colours[0]))
	if c.chance(0.75) {
		gores := len(colours) * c.count(2, 4)
		for i := range gores {
			from, to := math.Pi*(float64(i)/float64(gores)-0.5), math.Pi*(float64(i+1)/float64(gores)-0.5)
			c.fill(append(meridian(from), back(meridian(to))...), flat(colours[i%len(colours)]))
		}
	} else { // rings
		rings := c.count(4, 8)
		for i := range rings {
			lo, hi := i*24/rings, (i+1)*24/rings
			ring := append(meridian(-math.Pi / 2)[lo:hi+1:hi+1], back(meridian(math.Pi / 2)[lo:hi+1])...)
			c.fill(ring, flat(colours[i%len(colours)]))
		}
	}
	c.fill(whole, func(px, py float64) (rgb, float64) { // round: light from one side
		return black, 0.5 * smooth(-0.2, 1.3, (px-x)/r)
	})
	c.fill(whole, glow(x-0.4*r, y-0.4*r, 0.8*r, white, 0.4))

	mouth, basket := y+1.45*r, 0.16*r
	rope := veil(hex(0x3b2a1e), 0.9)
	for _, side := range []float64{-1, 1} {
		c.stroke([]point{{x + side*0.24*r, mouth}, {x + side*basket, mouth + 0.42*r}}, max(0.003, 0.02*r), rope)
	}
	c.fill(rectangle(x-basket, mouth+0.4*r, x+basket, mouth+0.66*r), flat(hex(0x7a4f2a)))
	c.fill(rectangle(x-basket, mouth+0.4*r, x+basket, mouth+0.45*r), flat(hex(0x4a2d16)))
}
