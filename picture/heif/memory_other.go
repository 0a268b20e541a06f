//go:build !noheif && !js && !wasip1 && !linux && !darwin && !freebsd

package heif

import "github.com/tetratelabs/wazero/experimental"

// linear is memory of a decoder, with a bound.
type linear struct {
	all  []byte
	most uint64
}

func newMemory(most uint64) experimental.LinearMemory { return &linear{most: most} }

// Reallocate implements experimental.LinearMemory.
func (m *linear) Reallocate(size uint64) []byte {
	if size > m.most {
		return nil
	}
	if size > uint64(cap(m.all)) {
		all := make([]byte, size, min(size+size/2, m.most))
		copy(all, m.all)
		m.all = all
	}
	m.all = m.all[:size]
	return m.all
}

// Free implements experimental.LinearMemory.
func (m *linear) Free() { m.all = nil }
