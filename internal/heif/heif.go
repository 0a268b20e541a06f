// Package heif reads the files of HEIC and AVIF as far as the pictures in them: which one
// is meant, how large it is, of which parts it is made, how it is cut and turned. A
// decoder gets nothing but coded pictures, of HEVC or AV1; colours are made here.
//
// A file is foreign data and may hold anything.
package heif

import (
	"errors"
	"fmt"
	"image"
	"maps"
	"slices"
)

const (
	mostSide  = 1 << 20
	mostMeta  = 16 << 20
	mostTiles = 1 << 15 // of libavif
)

// Picture is the one that a file shows.
type Picture struct {
	Format      string      // "HEIC" or "AVIF"
	Size        image.Point // as decoded and cut, before it is turned
	Orientation int         // of EXIF: how it is to be turned

	cut        image.Rectangle // of the decoded
	colour     layer
	alpha      *layer
	multiplied bool // alpha is in the colours
}

// layer is a coded picture, in one piece or in tiles of one size.
type layer struct {
	size    image.Point
	columns int
	tile    image.Point // what is shown of one
	coded   image.Point // what the decoder gives
	area    int64       // that it works on
	depth   int         // bits of a value
	av1     bool        // and not HEVC
	colour  colour
	files   func(tile int) ([]byte, error)
	tiles   int
	bytes   int64 // of all tiles
}

// mostBytes bounds what tiles have all together: some share their bytes.
func (m *items) mostBytes() int64 { return 2*int64(len(m.file)) + 64<<20 }

var errLarge = errors.New("tiles that are larger than the file")

var errNone = errors.New("no picture is in it")

// Read reads the headers of a file.
func Read(file []byte) (*Picture, error) {
	m, found, err := readItems(file)
	if err != nil {
		return nil, err
	}
	if found && m.all[m.primary] != nil {
		return m.picture(m.all[m.primary])
	}
	return readTrack(file)
}

// picture describes what an item shows.
func (m *items) picture(it *item) (*Picture, error) {
	shown, changes, err := m.source(it)
	if err != nil {
		return nil, err
	}
	p := &Picture{}
	if p.Format, err = m.format(shown); err != nil {
		return nil, err
	}
	alpha := m.alphaOf(it)
	if p.Format == "AVIF" {
		p.colour, err = m.whole(shown, alpha)
	} else {
		p.colour, err = m.layer(shown)
	}
	if err != nil {
		return nil, err
	}
	if err := p.arrange(changes); err != nil {
		return nil, err
	}
	if alpha != nil && p.Format == "HEIC" {
		err = m.addAlpha(p, it, alpha)
	}
	return p, err
}

// source follows an item that is another one, turned or cut, and returns that with all
// changes in their order.
func (m *items) source(it *item) (*item, []box, error) {
	const deepest = 4
	var changes []box
	for range deepest {
		own := m.changes(it)
		changes = append(own, changes...)
		if it.kind != "iden" {
			return it, changes, nil
		}
		if len(it.refs["dimg"]) != 1 || m.all[it.refs["dimg"][0]] == nil {
			return nil, nil, errors.New("a picture made of another that is not there")
		}
		it = m.all[it.refs["dimg"][0]]
	}
	return nil, nil, errors.New("a picture made of another, again and again")
}

// changes are the properties of an item that cut or turn it.
func (m *items) changes(it *item) (all []box) {
	for _, i := range it.props {
		switch p := m.props[i-1]; p.kind {
		case "clap", "irot", "imir":
			all = append(all, p)
		}
	}
	return all
}

// tilesOf returns the coded items that an item is made of: itself, or those of a grid.
func (m *items) tilesOf(it *item) ([]*item, error) {
	if it.kind != "grid" {
		return []*item{it}, nil
	}
	var all []*item
	for _, id := range it.refs["dimg"] {
		t := m.all[id]
		if t == nil {
			return nil, errors.New("a tile is not there")
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, errors.New("a grid without tiles")
	}
	return all, nil
}

// format says of which format the file is, by how its picture is coded.
func (m *items) format(it *item) (string, error) {
	tiles, err := m.tilesOf(it)
	if err != nil {
		return "", err
	}
	format := ""
	for _, t := range tiles {
		f, ok := map[string]string{"hvc1": "HEIC", "hev1": "HEIC", "av01": "AVIF"}[t.kind]
		if !ok {
			return "", unread(t.kind)
		}
		if format != "" && f != format {
			return "", errors.New("tiles of several kinds")
		}
		format = f
	}
	return format, nil
}

// unread names what a picture is coded with that no decoder is there for.
func unread(kind string) error {
	names := map[string]string{"jpeg": "JPEG", "avc1": "H.264", "vvc1": "VVC", "j2k1": "JPEG 2000", "unci": "no compression", "iovl": "overlays of others", "tmap": "a tone map", "evc1": "EVC"}
	if name, ok := names[kind]; ok {
		return fmt.Errorf("its picture is made by %s, which is not supported here; convert it to JPEG or PNG", name)
	}
	return fmt.Errorf("its picture is of kind %q, which is not supported; convert it to JPEG or PNG", kind)
}

// grid reads the size of a grid and how many columns it has.
func (m *items) grid(it *item, tiles int) (size image.Point, columns int, err error) {
	data, err := m.bytes(it)
	if err != nil {
		return size, 0, err
	}
	r := reader{data: data}
	r.number(1)
	wide := 2 + 2*int(r.number(1)&1)
	rows := int(r.number(1)) + 1
	columns = int(r.number(1)) + 1
	size = image.Pt(int(r.number(wide)), int(r.number(wide)))
	switch {
	case r.failed:
		return size, 0, errCut
	case size.X <= 0 || size.Y <= 0 || size.X > mostSide || size.Y > mostSide:
		return size, 0, fmt.Errorf("%d x %d pixels", size.X, size.Y)
	case rows*columns != tiles:
		return size, 0, fmt.Errorf("%d tiles for %d x %d", tiles, columns, rows)
	}
	return size, columns, nil
}

// layer describes a picture of HEVC, whose tiles are decoded one by one.
func (m *items) layer(it *item) (l layer, err error) {
	tiles, err := m.tilesOf(it)
	if err != nil {
		return l, err
	}
	l.tiles, l.columns = len(tiles), 1
	if it.kind == "grid" {
		l.size, l.columns, err = m.grid(it, len(tiles))
	} else {
		l.size.X, l.size.Y, err = m.size(it)
	}
	if err != nil {
		return l, err
	}
	configs := make([][]byte, len(tiles))
	for i, t := range tiles {
		config, ok := m.of(t, "hvcC")
		if !ok {
			return l, errors.New("HEVC without parameters")
		}
		configs[i] = config
		var tile image.Point
		if tile.X, tile.Y, err = m.size(t); err != nil {
			return l, err
		}
		s, err := readHEVC(config)
		if err != nil {
			return l, err
		}
		if s.width < tile.X || s.height < tile.Y {
			return l, fmt.Errorf("%d x %d pixels where %d x %d were announced", s.width, s.height, tile.X, tile.Y)
		}
		if i == 0 {
			l.tile, l.coded, l.area, l.depth, l.colour = tile, image.Pt(s.width, s.height), s.coded, s.depth, s.colour
		} else if tile != l.tile || l.coded != image.Pt(s.width, s.height) || l.depth != s.depth || l.colour.gray != s.colour.gray {
			return l, errors.New("tiles of several kinds")
		}
		n, err := m.length(t)
		if err != nil {
			return l, err
		}
		if l.bytes += int64(n); l.bytes > m.mostBytes() {
			return l, errLarge
		}
	}
	if rows := len(tiles) / l.columns; l.columns*l.tile.X < l.size.X || rows*l.tile.Y < l.size.Y {
		return l, errors.New("tiles that do not cover their picture")
	} else if (l.columns-1)*l.tile.X >= l.size.X || (rows-1)*l.tile.Y >= l.size.Y {
		return l, errors.New("more tiles than their picture has room for")
	}
	for _, from := range []*item{tiles[0], it} { // the whole one's word counts
		for _, i := range from.props {
			if c, ok := readColour(m.props[i-1].body); ok && m.props[i-1].kind == "colr" {
				c.gray = l.colour.gray
				l.colour = c
			}
		}
	}
	if !l.colour.known() {
		return l, fmt.Errorf("colours by matrix %d of H.273, which is not supported", l.colour.matrix)
	}
	l.files = func(i int) ([]byte, error) {
		data, err := m.bytes(tiles[i])
		if err != nil {
			return nil, err
		}
		return fileHEVC(configs[i], l.coded, data), nil
	}
	return l, nil
}

// whole describes a picture of AV1, with its tiles and alpha, which libavif decodes at
// once: it makes the colours, too.
func (m *items) whole(it, alpha *item) (l layer, err error) {
	var count int
	measure := func(it *item) (size image.Point, err error) {
		tiles, err := m.tilesOf(it)
		if err != nil {
			return size, err
		}
		if it.kind == "grid" {
			size, _, err = m.grid(it, len(tiles))
		} else {
			size.X, size.Y, err = m.size(it)
		}
		if err != nil {
			return size, err
		}
		for _, t := range tiles {
			w, h, err := m.size(t)
			if err != nil {
				return size, err
			}
			config, ok := m.of(t, "av1C")
			if !ok || t.kind != "av01" {
				return size, errors.New("AV1 without parameters")
			}
			n, err := m.length(t)
			if err != nil {
				return size, err
			}
			l.depth = max(l.depth, depthAV1(config))
			l.area += int64(w) * int64(h)
			l.bytes += int64(n)
			count++
		}
		return size, nil
	}
	if l.size, err = measure(it); err != nil {
		return l, err
	}
	if alpha != nil {
		if _, err = measure(alpha); err != nil {
			return l, fmt.Errorf("alpha: %w", err)
		}
	}
	if l.bytes > m.mostBytes() || count > mostTiles {
		return l, errLarge
	}
	l.tile, l.coded, l.columns, l.tiles, l.av1 = l.size, l.size, 1, 1, true
	l.files = func(int) ([]byte, error) { return m.fileAV1(it, alpha) }
	return l, nil
}

// depthAV1 is how many bits a value has, as a box av1C says.
func depthAV1(config []byte) int {
	if len(config) < 3 || config[2]&0x40 == 0 {
		return 8
	}
	return 10 + int(config[2]>>4&2)
}

// alphaOf returns the picture that says how transparent an item is, nil if none does.
func (m *items) alphaOf(shown *item) *item {
	for _, id := range slices.Sorted(maps.Keys(m.all)) {
		it := m.all[id]
		if slices.Contains(it.refs["auxl"], shown.id) && m.isAlpha(it) {
			return it
		}
	}
	return nil
}

// addAlpha describes alpha of a picture of HEVC.
func (m *items) addAlpha(p *Picture, shown, alpha *item) error {
	l, err := m.layer(alpha)
	if err != nil {
		return fmt.Errorf("alpha: %w", err)
	}
	if l.size != p.colour.size {
		return errors.New("alpha is of another size than the picture")
	}
	p.alpha, p.multiplied = &l, slices.Contains(shown.refs["prem"], alpha.id)
	return nil
}

func (m *items) isAlpha(it *item) bool {
	body, _ := m.of(it, "auxC")
	r := reader{data: body}
	r.full()
	switch r.text() {
	case "urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", "urn:mpeg:avc:2015:auxid:1":
		return true
	}
	return false
}
