package picture

import (
	"bytes"
	"errors"
	"fmt"

	"lookalike/internal/magic"
)

// known are pictures of formats that are not read, so that a report of what was
// left out can name them.
var known = map[string]string{
	"\x00\x00\x00\x0cJXL \r\n\x87\n": "JPEG XL", "\xff\x0a": "JPEG XL", "\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG 2000", "\xff\x4f\xff\x51": "JPEG 2000",
	"8BPS": "Photoshop", "%PDF-": "PDF", "<svg": "SVG", "????ftypjxl ": "JPEG XL",
	"????ftypj2ki": "HEIF with JPEG 2000", "????ftypjpeg": "HEIF with JPEG", "????ftypavci": "HEIF with H.264", "????ftypvvic": "HEIF with VVC",
	"????ftypmif3": "HEIF of the short kind",
}

// archives may hold pictures, and are looked into where album.Open is given them.
var archives = map[string]string{"PK\x03\x04": "zip", "\x1f\x8b": "gzip"}

// videos are named by how they begin. Any other file of boxes is one of MP4's family.
var videos = map[string]string{
	"????ftypqt  ": "QuickTime", "????moov": "QuickTime", "????mdat": "QuickTime", "????wide": "QuickTime", "????pnot": "QuickTime",
	"????ftyp3g": "3GP", "????ftyp": "MP4",
	"\x1a\x45\xdf\xa3": "Matroska", "RIFF????AVI ": "AVI", "\x30\x26\xb2\x75\x8e\x66\xcf\x11": "Windows Media",
	"FLV\x01": "Flash", "\x00\x00\x01\xba": "MPEG", "\x00\x00\x01\xb3": "MPEG", "OggS": "Ogg", ".RMF": "RealMedia",
	"\x06\x0e\x2b\x34\x02\x05\x01\x01": "MXF",
}

// sounds are no videos though they begin like them.
var sounds = map[string]string{
	"RIFF????WAVE": "WAV", "????ftypM4A ": "MPEG-4", "????ftypM4B ": "MPEG-4", "ID3": "MP3", "fLaC": "FLAC",
}

// ErrVideo is in the error for a video, which is no picture.
var ErrVideo = errors.New("videos are not read")

// other says what a file is that no picture can be read from.
func other(data []byte) error {
	if len(data) == 0 {
		return errors.New("the file is empty")
	}
	if name := named(known, data); name != "" {
		return fmt.Errorf("a file of type %s, which is not supported; convert it to JPEG or PNG", name)
	}
	if name := named(archives, data); name != "" {
		return fmt.Errorf("not a picture but packed with %s; what is in an archive is read if its own path is given", name)
	}
	if name := named(sounds, data); name != "" {
		return fmt.Errorf("not a picture but a sound of type %s", name)
	}
	if name := videoName(data); name != "" {
		return fmt.Errorf("not a picture but a video of type %s: %w", name, ErrVideo)
	}
	return fmt.Errorf("not a JPEG, PNG, GIF, BMP, TIFF, WebP, HEIC or AVIF picture (the file begins with %q)", data[:min(12, len(data))])
}

// videoName names the kind of a video, "" if a file is none.
func videoName(data []byte) string {
	name := named(videos, data)
	const packet, sync = 188, 0x47 // of MPEG's transport stream; cameras put 4 bytes before each packet
	switch {
	case name == "Matroska" && bytes.Contains(data[:min(len(data), longestMagic)], []byte("webm")):
		return "WebM"
	case name == "" && len(data) > packet && data[0] == sync && data[packet] == sync:
		return "MPEG"
	case name == "" && len(data) > packet+8 && data[4] == sync && data[packet+8] == sync:
		return "MPEG"
	}
	return name
}

// named returns the name by the longest of the beginnings that match, "" if none does.
func named(names map[string]string, data []byte) (name string) {
	longest := 0
	for start, n := range names {
		if len(start) > longest && magic.Matches(data, start) {
			longest, name = len(start), n
		}
	}
	return name
}
