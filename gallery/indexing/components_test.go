//go:build !wasm

package indexing

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"lookalike/picture"
	"lookalike/tensor"
)

// The whole vectors that components have replaced leave the file, also if they
// fill less than half of the room that bbolt has made for them.
func TestComponentsTakeTheRoomOfVectors(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 60 {
		files[fmt.Sprintf("%02d.png", i)] = plain(t, 2, 2, color.RGBA{R: uint8(i), G: uint8(2 * i), B: uint8(i * i)})
	}
	for _, wide := range []int{33_000, 50_000} {
		d := new(pixels).describer()
		d.Width, d.Components = wide, 2
		d.Describe = func(_ context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
			v := tensor.New(len(batch), wide)
			for i, p := range batch {
				copy(v.Row(i), []float32{float32(p.Pix[0]), float32(p.Pix[1]), float32(p.Pix[2])})
			}
			return v, nil
		}
		path := filepath.Join(t.TempDir(), "photos.idx")
		if _, _, err := Update(t.Context(), path, folder(t, files), "", d, Watch{}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if whole := int64(60 * wide * 4); info.Size() > whole/2 {
			t.Errorf("the index has %d bytes, whole vectors had %d", info.Size(), whole)
		}
	}
}
