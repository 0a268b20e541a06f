package heif

import (
	"bytes"
	"errors"
	"fmt"
)

// stream is what the headers of HEVC say of a picture.
type stream struct {
	width, height int // of what is shown
	coded         int64
	chroma        uint64 // 0: gray, 1: 4:2:0, 2: 4:2:2, 3: 4:4:4
	depth         int    // bits of a value
	colour        colour
}

// readHEVC reads the sequence parameter set in a box hvcC.
func readHEVC(config []byte) (stream, error) {
	r := reader{data: config}
	r.bytes(22)
	const parameters = 33
	for arrays := r.number(1); arrays > 0 && !r.failed; arrays-- {
		kind := r.number(1) & 63
		for n := r.number(2); n > 0 && !r.failed; n-- {
			unit := r.bytes(r.number(2))
			if kind == parameters && len(unit) > 2 {
				return readSPS(unit[2:])
			}
		}
	}
	return stream{}, errors.New("HEVC without parameters")
}

// bits reads the numbers of HEVC's headers.
type bits struct {
	data   []byte
	at     int
	failed bool
}

func (b *bits) u(n int) (v uint64) {
	for range n {
		if b.at >= 8*len(b.data) {
			b.failed = true
			return 0
		}
		v = v<<1 | uint64(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return v
}

// ue reads a number of Exp-Golomb.
func (b *bits) ue() uint64 {
	zeros := 0
	for b.u(1) == 0 {
		if zeros++; zeros > 32 || b.failed {
			b.failed = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.u(zeros)
}

func (b *bits) flag() bool { return b.u(1) != 0 }

// readSPS reads a sequence parameter set (H.265, 7.3.2.2) as far as the colours (E.2.1).
func readSPS(unit []byte) (s stream, err error) {
	b := &bits{data: bytes.ReplaceAll(unit, []byte{0, 0, 3}, []byte{0, 0})}
	b.u(4)
	layers := int(b.u(3))
	b.u(1)
	b.profile(layers)
	b.ue()
	s.chroma = b.ue()
	if s.chroma == 3 && b.flag() { // planes apart
		return s, errors.New("HEVC with planes coded apart")
	}
	w, h := b.ue(), b.ue()
	var left, right, top, bottom uint64
	if b.flag() {
		left, right, top, bottom = b.ue(), b.ue(), b.ue(), b.ue()
	}
	luma, chroma := b.ue(), b.ue()
	if b.failed {
		return s, errCut
	}
	if s.chroma > 3 || w > mostSide || h > mostSide || luma > 8 || chroma > 8 || max(left, right, top, bottom) > mostSide {
		return s, errors.New("parameters of HEVC that cannot be")
	}
	unitX, unitY := uint64(1), uint64(1)
	if s.chroma == 1 || s.chroma == 2 {
		unitX = 2
	}
	if s.chroma == 1 {
		unitY = 2
	}
	s.coded = int64(w) * int64(h)
	s.width, s.height = int(w)-int(unitX*(left+right)), int(h)-int(unitY*(top+bottom))
	s.depth = 8 + int(max(luma, chroma))
	if s.width <= 0 || s.height <= 0 {
		return s, fmt.Errorf("HEVC of %d x %d pixels", s.width, s.height)
	}
	s.colour = colour{matrix: unspecified}
	s.colour.gray = s.chroma == 0
	b.skipToColours(layers)
	if b.flag() { // what is told for showing
		if b.flag() && b.u(8) == 255 {
			b.u(32) // shape of pixels
		}
		if b.flag() {
			b.u(1) // margins
		}
		if b.flag() {
			b.u(3)
			c := colour{full: b.flag(), matrix: unspecified, gray: s.colour.gray}
			if b.flag() {
				c.primaries, _, c.matrix = int(b.u(8)), b.u(8), int(b.u(8))
			}
			if !b.failed {
				s.colour = c
			}
		}
	}
	return s, nil
}

// profile passes over profile_tier_level (7.3.3).
func (b *bits) profile(layers int) {
	b.u(88 + 8)
	if layers == 0 {
		return
	}
	flags := b.u(16)
	for i := range layers {
		if flags>>(15-2*i)&1 != 0 {
			b.u(88)
		}
		if flags>>(14-2*i)&1 != 0 {
			b.u(8)
		}
	}
}

// skipToColours passes over what lies between the depths and the flag of
// vui_parameters.
func (b *bits) skipToColours(layers int) {
	counter := int(b.ue()) + 4
	first := layers
	if b.flag() {
		first = 0
	}
	for range layers - first + 1 {
		b.ue()
		b.ue()
		b.ue()
	}
	for range 6 {
		b.ue()
	}
	if lists := b.flag(); lists && b.flag() {
		b.scalingLists()
	}
	b.u(2)
	if b.flag() { // samples that are not predicted
		b.u(8)
		b.ue()
		b.ue()
		b.u(1)
	}
	b.referenceSets()
	if b.flag() {
		for n := b.ue(); n > 0 && !b.failed; n-- {
			b.u(counter + 1)
		}
	}
	b.u(2)
}

// scalingLists passes over scaling_list_data (7.3.4).
func (b *bits) scalingLists() {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !b.flag() {
				b.ue()
				continue
			}
			if size > 1 {
				b.ue()
			}
			for range min(64, 1<<(4+size<<1)) {
				b.ue()
			}
		}
	}
}

// referenceSets passes over the sets st_ref_pic_set (7.3.7). How many pictures one has
// matters for the next, which may be told by its difference.
func (b *bits) referenceSets() {
	const most = 16
	n := b.ue()
	if n > 64 {
		b.failed = true
	}
	pictures := 0
	for i := uint64(0); i < n && !b.failed; i++ {
		if i > 0 && b.flag() {
			b.u(1)
			b.ue()
			kept := 0
			for range pictures + 1 {
				used := b.flag()
				if used || b.flag() {
					kept++
				}
			}
			pictures = kept
			continue
		}
		before, after := b.ue(), b.ue()
		if max(before, after) > most {
			b.failed = true
			return
		}
		pictures = int(before + after)
		for range pictures {
			b.ue()
			b.u(1)
		}
	}
}
