package heif

import (
	"bytes"
	"encoding/binary"
	"image"
)

// single makes a file of one coded picture, which is all that a decoder is given: what
// else a file says does not reach it.
//
// Of HEVC it says that the values are green, blue and red already, so that libheif gives
// them as they are coded.
func single(kind, configKind string, config []byte, size image.Point, data []byte) []byte {
	const header = 8
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	b := func(kind string, parts ...[]byte) []byte {
		n := header
		for _, p := range parts {
			n += len(p)
		}
		out := append(u32(make([]byte, 0, n), uint32(n)), kind...)
		return append(out, bytes.Join(parts, nil)...)
	}
	version := func(v byte) []byte { return []byte{v, 0, 0, 0} }
	properties := [][]byte{
		b(configKind, config),
		b("ispe", version(0), u32(nil, uint32(size.X)), u32(nil, uint32(size.Y))),
	}
	brand := "avif"
	if kind == "hvc1" {
		brand = "heic"
		properties = append(properties, b("colr", []byte("nclx\x00\x01\x00\x0d\x00\x00\x80")))
	} else {
		depth := byte(8)
		if config[2]&0x40 != 0 {
			depth = 10 + config[2]>>4&2
		}
		if config[2]&0x10 != 0 { // gray
			properties = append(properties, b("pixi", version(0), []byte{1, depth}))
		} else {
			properties = append(properties, b("pixi", version(0), []byte{3, depth, depth, depth}))
		}
	}
	links := []byte{byte(len(properties))}
	for i := range properties {
		links = append(links, byte(i+1))
	}
	meta := func(at uint32) []byte {
		place := u32(u32(u16(u16(u16(nil, 1), 0), 1), at), uint32(len(data)))
		return b("meta", version(0),
			b("hdlr", version(0), make([]byte, 4), []byte("pict"), make([]byte, 13)),
			b("pitm", version(0), u16(nil, 1)),
			b("iloc", version(0), []byte{0x44, 0}, u16(nil, 1), place),
			b("iinf", version(0), u16(nil, 1), b("infe", version(2), u16(u16(nil, 1), 0), []byte(kind), []byte{0})),
			b("iprp", b("ipco", properties...), b("ipma", version(0), u32(nil, 1), u16(nil, 1), links)))
	}
	file := b("ftyp", []byte(brand), make([]byte, 4), []byte("mif1miaf"), []byte(brand))
	at := len(file) + len(meta(0)) + header
	return append(append(file, meta(uint32(at))...), b("mdat", data)...)
}

// asPicture returns a file of AVIF as one that is no sequence, so that libavif reads the
// picture that the file names.
func asPicture(file []byte) []byte {
	const sequence, picture, place = "avis", "avif", 8
	if string(file[place:place+4]) != sequence {
		return file
	}
	file = bytes.Clone(file)
	copy(file[place:], picture)
	return file
}
