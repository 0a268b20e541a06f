package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"

	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
	"lookalike/vgg"
)

// perPicture is the number of places of block5_conv3 in a picture of 224x224.
const perPicture = 14 * 14

// features returns n vectors of VGG16's block5_conv3, 512 values at each of 14x14 places of
// pictures of 224x224 pixels: parts of the photographs, some mirrored, some brighter or
// darker. The first, vectors of them, are
// in random order, the others of other photographs. What is done is kept in a file, and gone on from there after a stop.
func features(ctx context.Context, n, vectors int, seed uint64, photos, weights, kept string) (*tensor.Tensor, error) {
	const side, d, batch = 224, 512, 8
	pictures := (vectors+perPicture-1)/perPicture + (n-vectors+perPicture-1)/perPicture
	all := tensor.New(pictures*perPicture, d)
	file, err := os.OpenFile(kept, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	read, err := io.ReadFull(file, raw(all))
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	set, err := album.Folder(os.DirFS(photos), picture.Options{})
	if err != nil {
		return nil, err
	}
	if set.Len() < pictures {
		return nil, fmt.Errorf("%d photographs in %s, %d are needed", set.Len(), photos, pictures)
	}
	order := rand.New(rand.NewPCG(seed, 0)).Perm(set.Len())
	net, err := vgg.Open(weights, vgg.Config{NoTop: true})
	if err != nil {
		return nil, err
	}
	defer net.Close()
	for lo := read / (4 * d * perPicture) / batch * batch; lo < pictures; lo += batch {
		rng := rand.New(rand.NewPCG(seed, uint64(lo)))
		some := make([]*picture.Image, min(batch, pictures-lo))
		for i := range some {
			m, err := set.Load(order[lo+i])
			if err != nil {
				return nil, err
			}
			some[i] = part(picture.Bilinear(m, 4*side/3, 4*side/3), side, rng)
		}
		y, err := net.Features(ctx, some, "block5_conv3")
		if err != nil {
			return nil, err
		}
		copy(all.Data()[lo*perPicture*d:], y.Data())
		if _, err := file.WriteAt(raw(y), int64(4*lo*perPicture*d)); err != nil {
			return nil, err
		}
		if lo%80 == 0 {
			log.Printf("%d of %d pictures", lo, pictures)
		}
	}
	x := tensor.New(n, d)
	for i, row := range rand.New(rand.NewPCG(seed, 1)).Perm((vectors + perPicture - 1) / perPicture * perPicture)[:vectors] {
		copy(x.Row(i), all.Row(row))
	}
	for i := vectors; i < n; i++ {
		copy(x.Row(i), all.Row(all.Dim(0)-1-(i-vectors)))
	}
	return x, nil
}

// part cuts three to four quarters of the sides out of a picture, anywhere in it.
func part(m *picture.Image, side int, rng *rand.Rand) *picture.Image {
	size := m.Width*3/4 + rng.IntN(m.Width/4+1)
	left, top := rng.IntN(m.Width-size+1), rng.IntN(m.Height-size+1)
	mirror, brighter := rng.IntN(2) == 1, 0.8+0.4*rng.Float64()
	cut := picture.New(size, size)
	for y := range size {
		for x := range size {
			from := left + x
			if mirror {
				from = left + size - 1 - x
			}
			for c := range 3 {
				v := float64(m.Pix[3*((top+y)*m.Width+from)+c]) * brighter
				cut.Pix[3*(y*size+x)+c] = uint8(min(v, 255))
			}
		}
	}
	return picture.Bilinear(cut, side, side)
}
