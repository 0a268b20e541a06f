package tiff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/ulikunitz/xz/lzma"
)

// decodeLZMA fills dst from a stream of xz. libtiff packs each byte as its difference to
// one some places before, then LZMA2. (The .xz file format, version 1.2)
func decodeLZMA(dst, src []byte) error {
	const streamHeader, packedSize, unpackedSize, delta, lzma2 = 12, 0x40, 0x80, 3, 0x21
	if len(src) <= streamHeader || string(src[:6]) != "\xfd7zXZ\x00" {
		return errors.New("no LZMA data")
	}
	block := src[streamHeader:]
	size := 4 * (int(block[0]) + 1)
	if block[0] == 0 || size > len(block) {
		return errCut
	}
	r := bytes.NewReader(block[1:size])
	flags, _ := r.ReadByte()
	for _, flag := range [2]byte{packedSize, unpackedSize} {
		if flags&flag != 0 {
			number(r)
		}
	}
	distance, dictionary, found := 0, 0, false
	for range flags&3 + 1 {
		filter, n := number(r), number(r)
		property, err := r.ReadByte()
		switch {
		case err != nil || n != 1:
			return errors.New("a filter of LZMA that is not read")
		case filter == delta && distance == 0:
			distance = int(property) + 1
		case filter == lzma2 && property <= 40:
			dictionary, found = math.MaxInt, true
			if property < 36 { // more is more than there are bytes to unpack
				dictionary = int(2|property&1) << (property/2 + 11)
			}
		default:
			return fmt.Errorf("filter %d of LZMA, which is not read", filter)
		}
	}
	if !found {
		return errors.New("no LZMA data")
	}
	const least = 4 << 10
	z, err := lzma.Reader2Config{DictCap: max(least, min(dictionary, len(dst)+least))}.NewReader2(bytes.NewReader(block[size:]))
	if err != nil {
		return early(err)
	}
	if _, err := io.ReadFull(z, dst); err != nil {
		return early(err)
	}
	for i := distance; distance > 0 && i < len(dst); i++ {
		dst[i] += dst[i-distance]
	}
	return nil
}

// number reads one of seven bits a byte; 0 if there is none.
func number(r *bytes.Reader) uint64 {
	v := uint64(0)
	for shift := 0; shift < 63; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	return v
}
