package tiff

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// compression is a way to pack strips and tiles.
type compression int

const (
	compressedNot         compression = 1
	compressedFaxRuns     compression = 2
	compressedFax3        compression = 3
	compressedFax4        compression = 4
	compressedLZW         compression = 5
	compressedJPEG        compression = 7
	compressedDeflate     compression = 8
	compressedFaxWordRuns compression = 32771
	compressedPackBits    compression = 32773
	compressedDeflateOld  compression = 32946
	compressedLZMA        compression = 34925
	compressedZstd        compression = 50000
	compressedWebP        compression = 50001
)

var compressionNames = map[uint64]string{
	1: "nothing", 2: "CCITT's runs", 3: "CCITT group 3", 4: "CCITT group 4", 5: "LZW", 6: "old-style JPEG (compression 6)", 7: "JPEG", 8: "Deflate",
	9: "JBIG", 10: "JBIG", 32766: "NeXT's runs", 32771: "CCITT's runs in words", 32773: "PackBits", 32809: "ThunderScan",
	32908: "PixarFilm", 32909: "PixarLog", 32946: "Deflate", 33003: "JPEG 2000", 33005: "JPEG 2000", 34661: "JBIG", 34676: "SGI LogLuv",
	34677: "SGI LogLuv", 34712: "JPEG 2000", 34887: "LERC", 34892: "lossy JPEG", 34925: "LZMA", 34933: "PNG", 34934: "JPEG XR",
	50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}

func (c compression) plain() bool { return c == compressedNot }

func (c compression) fax() bool {
	return c == compressedFaxRuns || c == compressedFax3 || c == compressedFax4 || c == compressedFaxWordRuns
}

// predicts tells whether a predictor may be used before. For others the tag means nothing.
func (c compression) predicts() bool {
	switch c {
	case compressedLZW, compressedDeflate, compressedDeflateOld, compressedLZMA, compressedZstd:
		return true
	}
	return false
}

// read tells whether it can be unpacked.
func (c compression) read() bool {
	return c.plain() || c.fax() || c.predicts() || c == compressedJPEG || c == compressedPackBits || c == compressedWebP
}

// dense is how many bytes one of a block can become at most; 0 if that is not known.
func (c compression) dense() uint64 {
	switch c {
	case compressedNot:
		return 1
	case compressedPackBits:
		return 64
	case compressedLZW:
		return 4096 * 8 / 9
	case compressedDeflate, compressedDeflateOld:
		return 1032
	}
	return 0
}

// unpack fills dst.
func (c compression) unpack(dst, src []byte, f *File) error {
	switch c {
	case compressedNot:
		if copy(dst, src) < len(dst) {
			return errCut
		}
		return nil
	case compressedLZW:
		return decodeLZW(dst, src)
	case compressedPackBits:
		return decodePackBits(dst, src)
	case compressedDeflate, compressedDeflateOld:
		return decodeDeflate(dst, src)
	case compressedZstd:
		return decodeZstd(dst, src)
	case compressedLZMA:
		return decodeLZMA(dst, src)
	}
	clear(dst) // a fax blackens
	return decodeFax(dst, src, f.blocks.width, f.rowBytes(), f.faxKind)
}

func decodeDeflate(dst, src []byte) error {
	z, err := zlib.NewReader(bytes.NewReader(src))
	if err != nil {
		return early(err)
	}
	if _, err := io.ReadFull(z, dst); err != nil {
		return early(err)
	}
	// What follows is more than is needed, or the check sum, which may be missing.
	if n, err := z.Read(make([]byte, 1)); n == 0 && errors.Is(err, zlib.ErrChecksum) {
		return damage("the check sum of a strip or tile is wrong")
	}
	return nil
}

// decodeZstd takes no memory for a window: what was unpacked is the window. More than is
// needed has room if the block is not the last one.
func decodeZstd(dst, src []byte) error {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return err
	}
	defer d.Close()
	out, err := d.DecodeAll(src, dst[:0])
	if err != nil {
		return early(err)
	}
	if len(out) < len(dst) {
		return errCut
	}
	return nil
}

// early words the end of packed data as the end of a block, and everything else as damage.
func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	if e := flate.CorruptInputError(0); errors.As(err, &e) {
		return damage("damaged data in a strip or tile: %v", err)
	}
	return damage("%v", err)
}
