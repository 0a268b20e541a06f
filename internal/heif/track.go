package heif

import (
	"errors"
	"image"
)

// readTrack describes the first picture of a sequence in a file without items.
func readTrack(file []byte) (p *Picture, err error) {
	err = boxes(file, func(b box) error {
		if b.kind != "moov" || p != nil {
			return nil
		}
		return boxes(b.body, func(b box) error {
			if b.kind != "trak" || p != nil {
				return nil
			}
			var table map[string][]byte
			if media, ok := below(b.body, "mdia", "minf", "stbl"); ok {
				table = children(media)
			}
			p, err = firstSample(file, table)
			return err
		})
	})
	if err == nil && p == nil {
		err = errNone
	}
	return p, err
}

// below returns the box at the end of a path of kinds.
func below(data []byte, path ...string) (body []byte, found bool) {
	for _, kind := range path {
		if data, found = children(data)[kind]; !found {
			return nil, false
		}
	}
	return data, true
}

// children has the first box of each kind.
func children(data []byte) map[string][]byte {
	all := map[string][]byte{}
	boxes(data, func(b box) error {
		if _, twice := all[b.kind]; !twice {
			all[b.kind] = b.body
		}
		return nil
	})
	return all
}

// firstSample describes the first picture of a track, nil if it is coded with something
// else.
func firstSample(file []byte, table map[string][]byte) (*Picture, error) {
	const visual = 78 // bytes of an entry before its boxes
	r := reader{data: table["stsd"]}
	r.full()
	r.number(4)
	var entry box
	boxes(r.data, func(b box) error {
		if entry.kind == "" && (b.kind == "hvc1" || b.kind == "hev1" || b.kind == "av01") {
			entry = b
		}
		return nil
	})
	if len(entry.body) < visual {
		return nil, nil
	}
	parts := children(entry.body[visual:])
	data, err := sampleBytes(file, table)
	if err != nil {
		return nil, err
	}
	p := &Picture{}
	l := layer{columns: 1, tiles: 1, bytes: int64(len(data))}
	if entry.kind == "av01" {
		r := reader{data: entry.body[24:]}
		w, h := int(r.number(2)), int(r.number(2))
		p.Format, l.size, l.area = "AVIF", image.Pt(w, h), int64(w)*int64(h)
		config, ok := parts["av1C"]
		if !ok || len(config) < 3 || w == 0 || h == 0 {
			return nil, errors.New("AV1 without parameters")
		}
		l.tile, l.coded, l.depth, l.av1 = l.size, l.size, depthAV1(config), true
		l.files = func(int) ([]byte, error) { return sampleAV1(config, parts["colr"], l.coded, data), nil }
	} else {
		p.Format = "HEIC"
		s, err := readHEVC(parts["hvcC"])
		if err != nil {
			return nil, err
		}
		l.size = image.Pt(s.width, s.height)
		l.tile, l.coded, l.area, l.depth, l.colour = l.size, l.size, s.coded, s.depth, s.colour
		if c, ok := readColour(parts["colr"]); ok {
			c.gray = s.colour.gray
			l.colour = c
		}
		l.files = func(int) ([]byte, error) { return fileHEVC(parts["hvcC"], l.coded, data), nil }
	}
	p.colour = l
	return p, p.arrange(nil)
}

// sampleBytes returns the bytes of a track's first sample.
func sampleBytes(file []byte, table map[string][]byte) ([]byte, error) {
	r := reader{data: table["stsz"]}
	r.full()
	size := r.number(4)
	if r.number(4); size == 0 {
		size = r.number(4)
	}
	places, wide := reader{data: table["stco"]}, 4
	if _, long := table["co64"]; long {
		places, wide = reader{data: table["co64"]}, 8
	}
	places.full()
	places.number(4)
	at := places.number(wide)
	if r.failed || places.failed || size == 0 || at > uint64(len(file)) || size > uint64(len(file))-at {
		return nil, errCut
	}
	return file[at : at+size], nil
}
