package jpeg

// estimated are the places of the coefficients that are estimated where scans are missing,
// in the order of the file.
var estimated = natural[:10]

// kernel weighs the DC coefficients of a block and the 24 round it.
type kernel [25]int

// byAC estimate the first coefficients where some AC coefficients are known, byDC where
// there are none; the DC coefficient is then smoothed, too.
var byAC = [6]kernel{
	1: {10: -7, 11: 50, 13: -50, 14: 7},
	2: {2: -7, 7: 50, 17: -50, 22: 7},
	3: {2: -1, 7: 13, 12: -24, 17: 13, 22: -1},
	4: {1: -1, 3: 1, 5: -1, 6: 10, 8: -10, 9: 1, 15: 1, 16: -10, 18: 10, 19: -1, 21: 1, 23: -1},
	5: {10: -1, 11: 13, 12: -24, 13: 13, 14: -1},
}

var byDC = [10]kernel{
	0: {-2, -6, -8, -6, -2, -6, 6, 42, 6, -6, -8, 42, 152, 42, -8, -6, 6, 42, 6, -6, -2, -6, -8, -6, -2},
	1: {-1, -1, 0, 1, 1, -3, 13, 0, -13, 3, -3, 38, 0, -38, 3, -3, 13, 0, -13, 3, -1, -1, 0, 1, 1},
	2: {-1, -3, -3, -3, -1, -1, 13, 38, 13, -1, 0, 0, 0, 0, 0, 1, -13, -38, -13, 1, 1, 3, 3, 3, 1},
	3: {2: 1, 6: 2, 7: 7, 8: 2, 11: -5, 12: -14, 13: -5, 16: 2, 17: 7, 18: 2, 22: 1},
	4: {0: -1, 4: 1, 6: 9, 8: -9, 16: -9, 18: 9, 20: 1, 24: -1},
	5: {6: 2, 7: -5, 8: 2, 10: 1, 11: 7, 12: -14, 13: 7, 14: 1, 16: 2, 17: -5, 18: 2},
	6: {6: 1, 8: -1, 11: 2, 13: -2, 16: 1, 18: -1},
	7: {6: 1, 7: -3, 8: 1, 16: -1, 17: 3, 18: -1},
	8: {6: 1, 8: -1, 11: -3, 13: 3, 16: 1, 18: -1},
	9: {6: 1, 7: 2, 8: 1, 16: -1, 17: -2, 18: -1},
}

// smoothing tells whether scans are missing, and what there is is enough for an estimate.
func (d *decoder) smoothing() bool {
	useful := false
	for i := range d.components {
		c := &d.components[i]
		if c.quant == nil || c.known.now[0] < 0 {
			return false
		}
		for k, place := range estimated {
			if c.quant[place] == 0 {
				return false
			}
			useful = useful || k > 0 && c.known.now[k] != 0
		}
	}
	return useful
}

// smooth makes pixels of coefficients as libjpeg-turbo does where scans are missing: the
// first coefficients that are not known are estimated from the DC coefficients round
// them.
func (d *decoder) smooth(c *component) {
	for unit := range d.rows {
		known := c.known.before
		switch {
		case unit <= d.lastGood:
			known = [10]int8(c.known.now[:])
		case d.scans == 1:
			known = [10]int8(nothing.now[:])
		}
		rows := c.v
		if unit == d.rows-1 && c.rows%c.v != 0 {
			rows = c.rows % c.v
		}
		for i := range rows {
			// As libjpeg-turbo counts rows, which in the last unit is too few.
			row, last := unit*rows+i, rows*d.rows-1
			y := unit*c.v + i
			c.smoothRow(y, [5]int{y - min(row, 2), y - min(row, 1), y, y + min(last-row, 1), y + min(last-row, 2)}, &known)
		}
	}
}

// smoothRow makes pixels of row y of blocks; near are the rows round it.
func (c *component) smoothRow(y int, near [5]int, known *[10]int8) {
	kernels := byAC[:]
	if [9]int8(known[1:]) == [9]int8(nothing.now[1:]) {
		kernels = byDC[:]
	}
	for x := range c.cols {
		var dc [25]int
		for i, row := range near {
			for j := range 5 {
				column := max(0, min(x+j-2, c.cols-1))
				dc[5*i+j] = int(c.values[64*(row*c.stride+column)])
			}
		}
		values := [64]int16(c.values[64*(y*c.stride+x):])
		for k := len(kernels) - 1; k >= 0; k-- {
			v := &values[estimated[k]]
			switch {
			case k > 0 && known[k] != 0 && *v == 0:
				*v = c.estimate(&kernels[k], &dc, estimated[k], known[k])
			case k == 0 && len(kernels) == len(byDC):
				*v = c.estimate(&kernels[0], &dc, 0, 0)
			}
		}
		c.show(x, y, &values)
	}
}

// estimate estimates a coefficient, of which the bits above low are known to be zeros.
func (c *component) estimate(weights *kernel, dc *[25]int, place uint8, low int8) int16 {
	sum := 0
	for i, w := range weights {
		sum += w * dc[i]
	}
	sum *= int(c.quant[0])
	q := int(c.quant[place])
	v := (q<<7 + max(sum, -sum)) / (q << 8)
	if low > 0 && v >= 1<<low {
		v = 1<<low - 1
	}
	if sum < 0 {
		v = -v
	}
	return int16(v)
}
