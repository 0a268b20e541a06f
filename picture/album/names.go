package album

import (
	"math"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// naming turns the names of an archive, whose encoding it need not tell, into paths.
type naming struct {
	charset   *charset // nil: not known
	backslash bool     // separates folders
}

// namingOf recognises how the names of an archive are encoded, all in the same way.
func namingOf(names []string, backslash bool) naming {
	return naming{recognise(names), backslash}
}

// path turns a name into a path of fs.FS: nothing leads out. Two names do not become one
// that differ in more than separators, "." and "..".
func (n naming) path(name string) string {
	text, known := name, true
	if !utf8.ValidString(name) {
		known = n.charset != nil
		if known {
			text, _ = n.charset.encoding.NewDecoder().String(name)
		} else {
			text, _ = charmap.CodePage437.NewDecoder().String(name) // one character a byte
		}
	}
	if n.backslash {
		text = slashes(text, known)
	}
	return strings.TrimPrefix(path.Clean("/"+text), "/")
}

// slashes replaces backslashes. In a name of unknown encoding, one behind a byte that is
// not ASCII may be the second half of a character, and stays.
func slashes(text string, known bool) string {
	before := 'a'
	return strings.Map(func(r rune) rune {
		last := before
		before = r
		if r == '\\' && (known || last < utf8.RuneSelf) {
			return '/'
		}
		return r
	}, text)
}

// charset is an encoding that archives of old systems have names in, and how likely bytes
// are in it.
type charset struct {
	encoding encoding.Encoding
	logP     func(name string) float64 // of the bytes of a name that can be decoded
}

var charsets = []*charset{
	{japanese.ShiftJIS, pairs(shiftJIS)},
	{simplifiedchinese.GBK, pairs(gbk)},
	{traditionalchinese.Big5, pairs(big5)},
	{korean.EUCKR, pairs(eucKR)},
	{charmap.CodePage437, letters(western)},
	{charmap.CodePage866, letters(cyrillic)},
}

// certainty is how many times as likely as any other a charset must be.
const certainty = 8

// recognise returns the charset that names are in, nil if none is much likelier than all
// others. Names in UTF-8 tell nothing.
func recognise(names []string) *charset {
	var best *charset
	first, second := math.Inf(-1), math.Inf(-1)
	for _, c := range charsets {
		p := 0.0
		for _, name := range names {
			if utf8.ValidString(name) {
				continue
			}
			text, err := c.encoding.NewDecoder().String(name)
			if err != nil || strings.ContainsRune(text, utf8.RuneError) {
				p = math.Inf(-1)
				break
			}
			// Names differ: what two of them decode to alike is not what they say.
			if back, err := c.encoding.NewEncoder().String(text); err != nil || back != name {
				p = math.Inf(-1)
				break
			}
			p += c.logP(name)
		}
		switch {
		case p > first:
			best, first, second = c, p, first
		case p > second:
			second = p
		}
	}
	if first-second < math.Log(certainty) || math.IsInf(first, -1) {
		return nil
	}
	return best
}

// anASCII is how likely a byte of ASCII is, in every charset.
var anASCII = math.Log(1. / 64)

// class is a part of a charset's characters, which are taken to be equally likely.
type class struct {
	share float64 // of the characters of names
	size  float64
}

func (c class) logP() float64 { return math.Log(c.share / c.size) }

// rare are the characters of two bytes that names seldom have, of any charset.
var rare = class{0.04, 15000}

// pairs is the probability of names in a charset whose characters have two bytes, each in
// the class that is told by both; the second byte is 0 for characters of a single one.
func pairs(of func(lead, trail byte) class) func(string) float64 {
	return func(name string) float64 {
		sum := 0.0
		for i := 0; i < len(name); i++ {
			b := name[i]
			switch {
			case b < utf8.RuneSelf:
				sum += anASCII
			case of(b, 0).size > 0:
				sum += of(b, 0).logP()
			case i+1 < len(name):
				i++
				sum += of(b, name[i]).logP()
			}
		}
		return sum
	}
}

func shiftJIS(lead, trail byte) class {
	switch at := int(lead)<<8 | int(trail); {
	case trail == 0 && (lead >= 0xa1 && lead <= 0xdf): // katakana of half the width
		return class{0.01, 63}
	case trail == 0:
		return class{}
	case at == 0x815b, at >= 0x829f && at <= 0x82f1, at >= 0x8340 && at <= 0x8396:
		return class{0.35, 170} // kana
	case at >= 0x889f && at <= 0x9872: // kanji in use
		return class{0.6, 2965}
	}
	return rare
}

func gbk(lead, trail byte) class {
	switch {
	case trail == 0:
		return class{}
	case lead >= 0xb0 && lead <= 0xd7 && trail >= 0xa1: // the first level of GB 2312
		return class{0.96, 3755}
	}
	return rare
}

func big5(lead, trail byte) class {
	switch {
	case trail == 0:
		return class{}
	case lead >= 0xa4 && lead <= 0xc6: // the first level
		return class{0.96, 5401}
	}
	return rare
}

func eucKR(lead, trail byte) class {
	switch {
	case trail == 0:
		return class{}
	case lead >= 0xb0 && lead <= 0xc8 && trail >= 0xa1: // the syllables of KS X 1001
		return class{0.96, 2350}
	}
	return rare
}

// letters is the probability of names in a charset whose characters have one byte, letters
// of which stand where the function says.
func letters(likely func(before, r, after rune) class) func(string) float64 {
	return func(name string) float64 {
		sum := 0.0
		for i := range len(name) {
			b := name[i]
			if b < utf8.RuneSelf {
				sum += anASCII
				continue
			}
			var before, after byte
			if i > 0 {
				before = name[i-1]
			}
			if i+1 < len(name) {
				after = name[i+1]
			}
			sum += likely(rune(before), rune(b), rune(after)).logP()
		}
		return sum
	}
}

// western: letters with accents stand beside ones of ASCII, small ones beside small ones.
func western(before, r, after rune) class {
	letter, small := cp437Letter(r)
	if !letter {
		return class{0.02, 80}
	}
	isSmall := func(r rune) bool { return r >= 'a' && r <= 'z' }
	isLarge := func(r rune) bool { return r >= 'A' && r <= 'Z' }
	switch {
	case small && (isSmall(before) || isSmall(after)) && !isLarge(after):
		return class{0.9, 34}
	case !small && (isLarge(before) || isSmall(after) || isLarge(after)):
		return class{0.5, 12}
	}
	return class{0.03, 48}
}

func cp437Letter(r rune) (letter, small bool) {
	text := charmap.CodePage437.DecodeByte(byte(r))
	switch {
	case strings.ContainsRune("éâäàåçêëèïîìæôöòûùÿáíóúñß", text):
		return true, true
	case strings.ContainsRune("ÇÄÅÉÆÖÜÑ", text):
		return true, false
	}
	return text == 'ü', text == 'ü'
}

// cyrillic: letters stand beside letters.
func cyrillic(before, r, after rune) class {
	letter := func(r rune) bool { return r >= 0x80 && r <= 0xaf || r >= 0xe0 && r <= 0xf1 }
	switch {
	case letter(r) && (letter(before) || letter(after)):
		return class{0.95, 66}
	case letter(r):
		return class{0.03, 66}
	}
	return class{0.02, 62}
}
