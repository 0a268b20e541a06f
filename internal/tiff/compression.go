package tiff

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
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

// packers unpack strips and tiles. What they need for that is made once.
type packers struct {
	inflater io.Reader
	zstd     *zstd.Decoder
}

// unpack fills dst.
func (p *packers) unpack(dst, src []byte, f *File) error {
	switch f.compression {
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
		return p.inflate(dst, src)
	case compressedZstd:
		return p.unpackZstd(dst, src)
	case compressedLZMA:
		return decodeLZMA(dst, src)
	}
	clear(dst) // a fax blackens
	return decodeFax(dst, src, f.blocks.width, f.rowBytes(), f.faxKind)
}

func (p *packers) inflate(dst, src []byte) error {
	var err error
	if r := bytes.NewReader(src); p.inflater == nil {
		p.inflater, err = zlib.NewReader(r)
	} else {
		err = p.inflater.(zlib.Resetter).Reset(r, nil)
	}
	if err != nil {
		return early(err)
	}
	if _, err := io.ReadFull(p.inflater, dst); err != nil {
		return early(err)
	}
	// What follows is more than is needed, or the check sum, which may be missing.
	var more [1]byte
	if n, err := p.inflater.Read(more[:]); n == 0 && errors.Is(err, zlib.ErrChecksum) {
		return errors.New("the check sum of a strip or tile is wrong")
	}
	return nil
}

// unpackZstd takes no memory for a window: what was unpacked is the window. More than is
// needed has room if the block is not the last one.
func (p *packers) unpackZstd(dst, src []byte) error {
	if p.zstd == nil {
		var err error
		if p.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true)); err != nil {
			return err
		}
	}
	out, err := p.zstd.DecodeAll(src, dst[:0])
	if err != nil {
		return early(err)
	}
	if len(out) < len(dst) {
		return errCut
	}
	return nil
}

func (p *packers) close() {
	if p.zstd != nil {
		p.zstd.Close()
	}
}

// early words the end of packed data as the end of a block, and everything else as damage.
func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return fmt.Errorf("damaged data in a strip or tile: %v", err)
}
