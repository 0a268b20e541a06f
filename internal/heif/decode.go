package heif

import (
	"image"

	"lookalike/internal/worker"
)

// What decoding takes, as measured with large pictures of each kind, in bytes a pixel: of
// the decoder, which has frames, their conversion and the colours at once.
const (
	perPixelHEVC, perDeepPixelHEVC = 16, 22
	perPixelAV1, perDeepPixelAV1   = 26, 40

	always = 24 << 20 // for its tables and stacks

	process = 64 << 20 // of the program once more, and the decoder's code
)

// memory is the most that the decoder gets for a layer.
func (l layer) memory() int64 {
	each := int64(perPixelHEVC)
	switch deep := l.depth > 8; {
	case l.av1 && deep:
		each = perDeepPixelAV1
	case l.av1:
		each = perPixelAV1
	case deep:
		each = perDeepPixelHEVC
	}
	return always + each*max(l.area, area(l.coded)) + 4*l.bytes
}

func area(size image.Point) int64 { return int64(size.X) * int64(size.Y) }

// Need is how much memory Decode takes, in all processes.
func (p *Picture) Need() int64 {
	const rgba, rgb = 4, 3
	n := process + p.colour.memory() + 2*rgba*area(p.colour.coded) + rgb*area(p.Size) + 2*p.colour.bytes
	if p.alpha != nil || p.Format == "AVIF" {
		n += area(p.Size)
	}
	return n
}

// HasAlpha tells whether a picture may be transparent.
func (p *Picture) HasAlpha() bool { return p.alpha != nil || p.Format == "AVIF" }

// Decode returns the colours, 3 bytes a pixel, and alpha, nil if all is opaque.
func (p *Picture) Decode() (rgb, alpha []uint8, err error) {
	rgb = make([]uint8, 3*area(p.Size))
	if p.HasAlpha() {
		alpha = make([]uint8, area(p.Size))
	}
	if p.Format == "AVIF" {
		err = p.colour.decode("AV1", p.cut, func(at int, pixels []uint8) {
			for i := 0; i < len(pixels); i += 4 {
				copy(rgb[3*at:3*at+3], pixels[i:])
				alpha[at] = pixels[i+3]
				at++
			}
		})
		if opaque(alpha) {
			alpha = nil
		}
		return rgb, alpha, err
	}
	t := p.colour.colour.table(p.colour.depth)
	err = p.colour.decode("HEVC", p.cut, func(at int, pixels []uint8) {
		for i := 0; i < len(pixels); i += 4 {
			rgb[3*at], rgb[3*at+1], rgb[3*at+2] = t.rgb(pixels[i+1], pixels[i+2], pixels[i])
			at++
		}
	})
	if err != nil || p.alpha == nil {
		return rgb, nil, err
	}
	err = p.alpha.decode("HEVC", p.cut, func(at int, pixels []uint8) {
		for i := 0; i < len(pixels); i += 4 {
			alpha[at] = pixels[i+1]
			at++
		}
	})
	if p.multiplied {
		divide(rgb, alpha)
	}
	return rgb, alpha, err
}

// decode has a layer decoded and gives use the pixels of what is cut out of it, piece by
// piece of a row, with the place of each.
func (l layer) decode(decoder string, cut image.Rectangle, use func(at int, pixels []uint8)) error {
	job := worker.Job{Decoder: decoder, Memory: l.memory()}
	for i := range l.tiles {
		data, err := l.files(i)
		if err != nil {
			return err
		}
		job.Parts = append(job.Parts, worker.Part{File: data, Width: l.coded.X, Height: l.coded.Y})
	}
	return worker.Do(job, func(i int, pixels []byte) error {
		origin := image.Pt(i%l.columns*l.tile.X, i/l.columns*l.tile.Y)
		here := image.Rectangle{origin, origin.Add(l.tile)}.Intersect(cut)
		for y := here.Min.Y; y < here.Max.Y; y++ {
			from := 4 * ((y-origin.Y)*l.coded.X + here.Min.X - origin.X)
			use((y-cut.Min.Y)*cut.Dx()+here.Min.X-cut.Min.X, pixels[from:from+4*here.Dx()])
		}
		return nil
	})
}

func opaque(alpha []uint8) bool {
	for _, a := range alpha {
		if a != 255 {
			return false
		}
	}
	return true
}

// divide takes alpha out of colours that it was multiplied into.
func divide(rgb, alpha []uint8) {
	for i, a := range alpha {
		if a == 0 {
			continue
		}
		for c := 3 * i; c < 3*i+3; c++ {
			rgb[c] = uint8(min(255, (int(rgb[c])*255+int(a)/2)/int(a)))
		}
	}
}
