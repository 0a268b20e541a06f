package heif

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"
)

// A decoder is given files that are made here, of nothing but the coded pictures and what
// is needed to decode them: what else a file says does not reach it.

// entry is an item of such a file. The first one is the picture.
type entry struct {
	kind     string
	props    []box
	data     []byte
	tiles    []int // entries that it is made of
	alphaOf  int   // the entry that it says the alpha of; -1: none
	multiply bool  // alpha is in the colours of that
}

const boxHeader = 8

// newBox makes a box of parts.
func newBox(kind string, parts ...[]byte) []byte {
	n := boxHeader
	for _, p := range parts {
		n += len(p)
	}
	out := append(binary.BigEndian.AppendUint32(make([]byte, 0, n), uint32(n)), kind...)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// compose makes a file.
func compose(brand string, entries []entry) []byte {
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	version := func(v byte) []byte { return []byte{v, 0, 0, 0} }
	id := func(i int) uint16 { return uint16(i + 1) }

	var infos, props, refs []byte
	links, n := u32(nil, uint32(len(entries))), 0
	for i, e := range entries {
		infos = append(infos, newBox("infe", version(2), u16(u16(nil, id(i)), 0), []byte(e.kind), []byte{0})...)
		links = append(u16(links, id(i)), byte(len(e.props)))
		for _, p := range e.props {
			props = append(props, newBox(p.kind, p.body)...)
			n++
			links = u16(links, uint16(n))
		}
		if len(e.tiles) > 0 {
			to := u16(u16(nil, id(i)), uint16(len(e.tiles)))
			for _, t := range e.tiles {
				to = u16(to, id(t))
			}
			refs = append(refs, newBox("dimg", to)...)
		}
		if e.alphaOf >= 0 {
			refs = append(refs, newBox("auxl", u16(u16(u16(nil, id(i)), 1), id(e.alphaOf)))...)
			if e.multiply {
				refs = append(refs, newBox("prem", u16(u16(u16(nil, id(e.alphaOf)), 1), id(i)))...)
			}
		}
	}
	meta := func(at uint32) []byte {
		places := u16([]byte{0, 0, 0, 0, 0x44, 0}, uint16(len(entries)))
		for i, e := range entries {
			places = u32(u32(u16(u16(u16(places, id(i)), 0), 1), at), uint32(len(e.data)))
			at += uint32(len(e.data))
		}
		parts := [][]byte{version(0),
			newBox("hdlr", version(0), make([]byte, 4), []byte("pict"), make([]byte, 13)),
			newBox("pitm", version(0), u16(nil, 1)),
			newBox("iloc", places),
			newBox("iinf", version(0), u16(nil, uint16(len(entries))), infos),
		}
		if len(refs) > 0 {
			parts = append(parts, newBox("iref", version(0), refs))
		}
		return newBox("meta", append(parts, newBox("iprp", newBox("ipco", props), newBox("ipma", []byte{0, 0, 0, 1}, links)))...)
	}
	file := newBox("ftyp", []byte(brand), make([]byte, 4), []byte("mif1miaf"), []byte(brand))
	at := len(file) + len(meta(0)) + boxHeader
	file = append(file, meta(uint32(at))...)
	var all [][]byte
	for _, e := range entries {
		all = append(all, e.data)
	}
	return append(file, newBox("mdat", all...)...)
}

// sizeBox says how large an item is.
func sizeBox(size image.Point) box {
	body := binary.BigEndian.AppendUint32(make([]byte, 4, 12), uint32(size.X))
	return box{"ispe", binary.BigEndian.AppendUint32(body, uint32(size.Y))}
}

// fileHEVC makes a file of one picture of HEVC. It says that the values are green, blue
// and red already, so that libheif gives them as they are coded.
func fileHEVC(config []byte, size image.Point, data []byte) []byte {
	planes := box{"colr", []byte("nclx\x00\x01\x00\x0d\x00\x00\x80")}
	return compose("heic", []entry{{kind: "hvc1", props: []box{{"hvcC", config}, sizeBox(size), planes}, data: data, alphaOf: -1}})
}

// fileAV1 makes a file of a picture of AV1, with its tiles and its alpha.
func (m *items) fileAV1(shown, alpha *item) ([]byte, error) {
	var entries []entry
	add := func(it *item, alphaOf int) error {
		tiles, err := m.tilesOf(it)
		if err != nil {
			return err
		}
		if it.kind == "grid" {
			tiles = append([]*item{it}, tiles...)
		}
		first := len(entries)
		for _, t := range tiles {
			data, err := m.bytes(t)
			if err != nil {
				return err
			}
			e := entry{kind: t.kind, data: data, alphaOf: -1}
			for _, i := range t.props {
				switch p := m.props[i-1]; p.kind {
				case "av1C", "ispe", "pixi", "colr", "auxC", "a1op", "a1lx", "lsel":
					e.props = append(e.props, p)
				}
			}
			entries = append(entries, e)
		}
		for i := first + 1; i < len(entries); i++ {
			entries[first].tiles = append(entries[first].tiles, i)
		}
		entries[first].alphaOf = alphaOf
		entries[first].multiply = alphaOf >= 0 && slices.Contains(shown.refs["prem"], alpha.id)
		return nil
	}
	if err := add(shown, -1); err != nil {
		return nil, err
	}
	if alpha != nil {
		if err := add(alpha, 0); err != nil {
			return nil, err
		}
	}
	return compose("avif", entries), nil
}

// sampleAV1 makes a file of one picture of AV1 that was part of a sequence.
func sampleAV1(config, colours []byte, size image.Point, data []byte) []byte {
	props := []box{{"av1C", config}, sizeBox(size)}
	if bytes.HasPrefix(colours, []byte("nclx")) {
		props = append(props, box{"colr", colours})
	}
	return compose("avif", []entry{{kind: "av01", props: props, data: data, alphaOf: -1}})
}
