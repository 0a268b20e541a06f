package tiff

// undoPrediction makes of a block's differences what they were made of.
func (f *File) undoPrediction(block []byte) {
	if f.predictor == 1 {
		return
	}
	row := f.rowBytes()
	scratch := []byte(nil)
	for ; len(block) > 0; block = block[min(row, len(block)):] {
		line := block[:min(row, len(block))]
		if f.predictor == 2 {
			f.addNeighbours(line)
		} else {
			scratch = f.joinFloats(line, scratch)
		}
	}
}

// addNeighbours adds to each sample that of the pixel before.
func (f *File) addNeighbours(line []byte) {
	step := f.together()
	switch order := f.order; f.bits {
	case 8:
		for i := step; i < len(line); i++ {
			line[i] += line[i-step]
		}
	case 16:
		for i := 2 * step; i+2 <= len(line); i += 2 {
			order.PutUint16(line[i:], order.Uint16(line[i:])+order.Uint16(line[i-2*step:]))
		}
	case 32:
		for i := 4 * step; i+4 <= len(line); i += 4 {
			order.PutUint32(line[i:], order.Uint32(line[i:])+order.Uint32(line[i-4*step:]))
		}
	case 64:
		for i := 8 * step; i+8 <= len(line); i += 8 {
			order.PutUint64(line[i:], order.Uint64(line[i:])+order.Uint64(line[i-8*step:]))
		}
	}
}

// joinFloats reads a row that has the first bytes of all numbers, then the second ones,
// each as a difference, and puts the numbers together in the file's order.
func (f *File) joinFloats(line, scratch []byte) []byte {
	step, size := f.together(), f.bits/8
	for i := step; i < len(line); i++ {
		line[i] += line[i-step]
	}
	scratch = append(scratch[:0], line...)
	n := len(line) / size
	for i := range n {
		for b := range size {
			to := b
			if f.little() {
				to = size - 1 - b
			}
			line[i*size+to] = scratch[b*n+i]
		}
	}
	return scratch
}
