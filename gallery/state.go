package gallery

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"lookalike/knn/pca"
	"unicode/utf8"
)

// What is in an index, as bbolt has it: two buckets, and the key of the state.
const (
	format  = "lookalike gallery"
	version = 2

	indexBucket    = "index"
	picturesBucket = "pictures"
	stateKey       = "state"
)

// state is what an index says of itself.
type state struct {
	Format     string `json:"format"`
	Version    int    `json:"version"`
	Root       string `json:"root"`
	Recipe     Recipe `json:"recipe"`
	Width      int    `json:"width"`                // values in a vector
	Components int    `json:"components,omitempty"` // that the vectors have been or are to be brought to
	Pictures   int    `json:"pictures"`
	Blocks     int    `json:"blocks"`
	Sum        uint32 `json:"sum"` // of all blocks' checksums, by exclusive or

	Thresholds []Threshold `json:"thresholds,omitempty"`

	Unfinished bool `json:"unfinished,omitempty"` // Rewrite is at work on it
}

// head is what the state says of vectors that p, if it is not nil, has brought to
// principal components.
func (s *state) head(p *pca.PCA) Head {
	h := Head{Root: s.Root, Recipe: s.Recipe, Width: s.Width, Components: s.Components}
	if p != nil {
		h.Width = p.Mean.Len()
	}
	return h
}

// encode writes the state as the value of a store.
func (s *state) encode() ([]byte, error) {
	if !utf8.ValidString(s.Root) {
		return nil, fmt.Errorf("the folder's name %q is not UTF-8", s.Root)
	}
	text, err := json.Marshal(s)
	return sealed(text), err
}

func (s *state) decode(b []byte) error {
	text, err := unsealed(b)
	if err != nil {
		return damaged(fmt.Errorf("what it says of itself: %w", err))
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(s); err != nil {
		return damaged(err)
	}
	if s.Format != format {
		return ErrNotIndex
	}
	for _, t := range s.Thresholds {
		if err := t.validate(); err != nil {
			return damaged(err)
		}
	}
	if s.Version != version {
		return fmt.Errorf("index of version %d, this program reads version %d: make the index again", s.Version, version)
	}
	return nil
}

// sealed is content with its checksum in front.
func sealed(content []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli)), content...)
}

func unsealed(b []byte) ([]byte, error) {
	if len(b) < 4 || binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return nil, errors.New("the checksum is not that of the content")
	}
	return b[4:], nil
}
