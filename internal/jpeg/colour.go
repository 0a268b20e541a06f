package jpeg

// picture joins the planes to pixels.
func (d *decoder) picture() Picture {
	m := Picture{Width: divideUp(d.Width*d.side, 8), Height: divideUp(d.Height*d.side, 8)}
	m.Pix = make([]uint8, 3*m.Width*m.Height)
	var planes []*plane
	for i := range d.components {
		planes = append(planes, d.plane(&d.components[i], m.Width, m.Height))
	}
	join := d.join()
	for y := range m.Height {
		dst := m.Pix[3*m.Width*y:][:3*m.Width]
		first := planes[0].row(y)
		if len(planes) == 1 {
			join(dst, first, first, first)
			continue
		}
		join(dst, first, planes[1].row(y), planes[2].row(y))
		if len(planes) == 4 {
			darken(dst, planes[3].row(y))
		}
	}
	return m
}

// stored puts the samples of all planes side by side.
func (d *decoder) stored() []uint8 {
	n := len(d.components)
	samples := make([]uint8, n*d.Width*d.Height)
	for i := range d.components {
		p := d.plane(&d.components[i], d.Width, d.Height)
		for y := range d.Height {
			dst := samples[n*d.Width*y+i:]
			for x, v := range p.row(y)[:d.Width] {
				dst[n*x] = v
			}
		}
	}
	return samples
}

// join returns what makes colours of the first three components, as libjpeg decides.
func (d *decoder) join() func(dst, a, b, c []uint8) {
	l := d.components
	switch {
	case len(l) == 4 && d.adobe && d.transform != 0: // YCCK gives ink where YCbCr gives light
		return convertYCbCr
	case len(l) == 4:
		return complement
	case len(l) == 1:
		return interleave
	case d.jfif:
	case d.adobe && d.transform == 0, !d.adobe && l[0].id == 'R' && l[1].id == 'G' && l[2].id == 'B':
		return interleave
	}
	return convertYCbCr
}

func interleave(dst, a, b, c []uint8) {
	for i := range len(dst) / 3 {
		dst[3*i], dst[3*i+1], dst[3*i+2] = a[i], b[i], c[i]
	}
}

func complement(dst, a, b, c []uint8) {
	for i := range len(dst) / 3 {
		dst[3*i], dst[3*i+1], dst[3*i+2] = 255-a[i], 255-b[i], 255-c[i]
	}
}

// darken makes light of ink as Pillow does: each colour takes its share of what black
// leaves. Files store the complement of ink (Adobe's convention, which Pillow takes for
// granted).
func darken(dst, light []uint8) {
	for i := range len(dst) / 3 {
		l := int32(light[i])
		for c := 3 * i; c < 3*i+3; c++ {
			t := int32(dst[c])*l + 128
			dst[c] = clamp(l - (t>>8+t)>>8)
		}
	}
}

// Parts of the YCbCr to RGB conversion of JFIF that depend on one chroma value,
// in libjpeg's fixed point: 16 bits of fraction, halves added before the shift.
var redOfCr, blueOfCb, greenOfCr, greenOfCb = func() (r, b, gr, gb [256]int32) {
	const half = 1 << 15
	fix := func(x float64) int32 { return int32(x*(1<<16) + 0.5) }
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (fix(1.40200)*x + half) >> 16
		b[i] = (fix(1.77200)*x + half) >> 16
		gr[i] = -fix(0.71414) * x
		gb[i] = -fix(0.34414)*x + half
	}
	return
}()

func convertYCbCr(dst, luma, cb, cr []uint8) {
	n := len(dst) / 3
	luma, cb, cr = luma[:n], cb[:n], cr[:n]
	for i := range n {
		y, b, r := int32(luma[i]), cb[i], cr[i]
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0] = clamp(y + redOfCr[r])
		d[1] = clamp(y + (greenOfCb[b]+greenOfCr[r])>>16)
		d[2] = clamp(y + blueOfCb[b])
	}
}
