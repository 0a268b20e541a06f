package orientation_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/internal/orientation"
)

// of asks by how a file begins, as package picture does.
func of(data []byte) int {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		return orientation.JPEG(data)
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		return orientation.PNG(data)
	case bytes.HasPrefix(data, []byte("RIFF")):
		return orientation.WebP(data)
	}
	return orientation.TIFF(data)
}

// TestCases: odd files are turned if their picture, as Pillow has it, lies otherwise than
// it is stored. All of them are 45 x 37 pixels as stored.
func TestCases(t *testing.T) {
	const dir = "../../../shared/cases/exif/"
	files, _ := filepath.Glob(dir + "*.want.png")
	if len(files) == 0 {
		t.Skip("no " + dir)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.DecodeConfig(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(strings.TrimSuffix(file, ".want.png"))
		if err != nil {
			t.Fatal(err)
		}
		if turned := of(data) >= 5; turned != (want.Height > want.Width) {
			t.Errorf("%s: orientation %d, but %d x %d pixels in the end", filepath.Base(file), of(data), want.Width, want.Height)
		}
	}
}

// entry is one of a directory. The value lies in it, or, if it has more bytes than there
// is room for, behind the directory.
type entry struct {
	tag, kind uint16
	count     uint32
	value     string
}

// exif returns a block in one byte order: header, and a directory of these entries.
func exif(order binary.AppendByteOrder, entries ...entry) string {
	name := "II"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		name = "MM"
	}
	b := order.AppendUint32(order.AppendUint16([]byte(name), 42), 8)
	b = order.AppendUint16(b, uint16(len(entries)))
	behind, tail := 8+2+12*len(entries)+4, ""
	for _, e := range entries {
		b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, e.tag), e.kind), e.count)
		if len(e.value) <= 4 {
			b = append(b, (e.value + "\x00\x00\x00\x00")[:4]...)
		} else {
			b = order.AppendUint32(b, uint32(behind+len(tail)))
			tail += e.value
		}
	}
	return string(append(b, 0, 0, 0, 0)) + tail
}

var little = binary.LittleEndian

const tag = 0x0112

// block says 6 in a SHORT.
var block = exif(little, entry{tag, 3, 1, "\x06\x00"})

func segment(marker byte, body string) string {
	return "\xff" + string([]byte{marker}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))) + body
}

const (
	soi     = "\xff\xd8"
	sos     = "\xff\xda\x00\x02"
	exifApp = "Exif\x00\x00"
	xmpApp  = "http://ns.adobe.com/xap/1.0/\x00"
)

func jpeg(body string) []byte { return []byte(soi + segment(0xe1, exifApp+body) + sos) }

func quad(order binary.AppendByteOrder, v uint32) string {
	return string(order.AppendUint32(nil, v))
}

// TestKinds: which values are numbers, by their kind.
func TestKinds(t *testing.T) {
	big := binary.BigEndian
	for name, c := range map[string]struct {
		block string
		want  int
	}{
		"SHORT":                  {block, 6},
		"SHORT, big-endian":      {exif(big, entry{tag, 3, 1, "\x00\x08"}), 8},
		"LONG":                   {exif(big, entry{tag, 4, 1, quad(big, 5)}), 5},
		"IFD":                    {exif(little, entry{tag, 13, 1, quad(little, 7)}), 7},
		"LONG8":                  {exif(little, entry{tag, 16, 1, "\x03\x00\x00\x00\x00\x00\x00\x00"}), 3},
		"SBYTE":                  {exif(little, entry{tag, 6, 1, "\x06"}), 6},
		"SSHORT":                 {exif(big, entry{tag, 8, 1, "\x00\x02"}), 2},
		"SLONG":                  {exif(little, entry{tag, 9, 1, quad(little, 4)}), 4},
		"RATIONAL":               {exif(little, entry{tag, 5, 1, quad(little, 12) + quad(little, 2)}), 6},
		"RATIONAL over 0":        {exif(little, entry{tag, 5, 1, quad(little, 6) + quad(little, 0)}), 1},
		"RATIONAL, no whole":     {exif(little, entry{tag, 5, 1, quad(little, 13) + quad(little, 2)}), 1},
		"SRATIONAL":              {exif(little, entry{tag, 10, 1, quad(little, 1<<32-6) + quad(little, 1<<32-1)}), 6},
		"FLOAT":                  {exif(little, entry{tag, 11, 1, quad(little, math.Float32bits(6))}), 6},
		"FLOAT, not a number":    {exif(little, entry{tag, 11, 1, quad(little, math.Float32bits(float32(math.NaN())))}), 1},
		"DOUBLE":                 {exif(big, entry{tag, 12, 1, string(big.AppendUint64(nil, math.Float64bits(8)))}), 8},
		"two values":             {exif(little, entry{tag, 3, 2, "\x06\x00\x08\x00"}), 6},
		"many values":            {exif(little, entry{tag, 3, 9, "\x06\x00" + strings.Repeat("\x08\x00", 8)}), 6},
		"BYTE":                   {exif(little, entry{tag, 1, 1, "\x06"}), 1},
		"ASCII":                  {exif(little, entry{tag, 2, 2, "6\x00"}), 1},
		"UNDEFINED":              {exif(little, entry{tag, 7, 1, "\x06"}), 1},
		"unknown, and then":      {exif(little, entry{tag, 129, 1, "\x08"}, entry{tag, 3, 1, "\x06\x00"}), 6},
		"unknown before":         {exif(little, entry{0x010e, 255, 1, "\x08"}, entry{0x010f, 0, 7, "x"}, entry{tag, 3, 1, "\x06\x00"}), 6},
		"none, and then":         {exif(little, entry{tag, 3, 0, "\x08"}, entry{tag, 3, 1, "\x06\x00"}), 6},
		"twice":                  {exif(little, entry{tag, 3, 1, "\x06\x00"}, entry{tag, 3, 1, "\x08\x00"}), 6},
		"bytes, then a number":   {exif(little, entry{tag, 1, 1, "\x06"}, entry{tag, 3, 1, "\x06\x00"}), 1},
		"0":                      {exif(little, entry{tag, 3, 1, "\x00\x00"}), 1},
		"9":                      {exif(little, entry{tag, 3, 1, "\x09\x00"}), 1},
		"negative":               {exif(little, entry{tag, 9, 1, quad(little, 1<<32-6)}), 1},
		"behind a value outside": {exif(little, entry{0x010e, 2, 20, "\xff\xff\x00\x00"}, entry{tag, 3, 1, "\x06\x00"}), 1},
		"before a value outside": {exif(little, entry{tag, 3, 1, "\x06\x00"}, entry{0x8769, 2, 20, "\xff\xff\x00\x00"}), 6},
		"behind a huge value":    {exif(little, entry{0x010e, 2, 1 << 30, "abcd"}, entry{tag, 3, 1, "\x06\x00"}), 6},
		"name twice":             {exifApp + block, 6},
		"no block":               {"", 1},
		"no TIFF":                {"JPEG" + block, 1},
		"cut header":             {block[:7], 1},
		"cut entry":              {block[:20], 1},
		"directory nowhere":      {"II*\x00\xff\xff\xff\xff", 1},
	} {
		if got := orientation.JPEG(jpeg(c.block)); got != c.want {
			t.Errorf("%s: orientation %d, want %d", name, got, c.want)
		}
	}
}

func xmp(s string) string { return "<x:xmpmeta>" + s + "</x:xmpmeta>" }

func TestXMP(t *testing.T) {
	for s, want := range map[string]int{
		`<rdf tiff:Orientation="6"/>`:                        6,
		`<tiff:Orientation>8</tiff:Orientation>`:             8,
		`<tiff:Orientation>1</tiff:Orientation>`:             1,
		`<tiff:Orientation>9</tiff:Orientation>`:             1,
		`<rdf tiff:Orientation='6'/>`:                        1,
		`<rdf t:Orientation="6"/>`:                           1,
		`<a tiff:Orientation="3"/><b tiff:Orientation="6"/>`: 3,
	} {
		if got := orientation.JPEG([]byte(soi + segment(0xe1, xmpApp+xmp(s)) + sos)); got != want {
			t.Errorf("%s: orientation %d, want %d", s, got, want)
		}
	}
}

func TestJPEG(t *testing.T) {
	app := segment(0xe1, exifApp+block)
	packet := func(n int) string {
		return segment(0xe1, xmpApp+xmp(fmt.Sprintf(`<a tiff:Orientation="%d"/>`, n)))
	}
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"first":                   {soi + app + sos, 6},
		"behind JFIF":             {soi + segment(0xe0, "JFIF\x00") + app + sos, 6},
		"fill bytes":              {soi + "\xff\xff" + app + sos, 6},
		"stray bytes":             {soi + "ab" + app + sos, 6},
		"empty one first":         {soi + segment(0xe1, exifApp) + app + sos, 6},
		"in two segments":         {soi + segment(0xe1, exifApp+block[:15]) + segment(0xe1, exifApp+block[15:]) + sos, 6},
		"another name":            {soi + segment(0xe1, "Exif\x00x"+block) + sos, 1},
		"behind the pixels":       {soi + sos + app, 1},
		"cut":                     {soi + app[:12], 1},
		"nothing":                 {soi, 1},
		"XMP alone":               {soi + packet(6) + sos, 6},
		"the last XMP counts":     {soi + packet(6) + packet(8) + sos, 8},
		"EXIF goes before XMP":    {soi + packet(8) + app + sos, 6},
		"EXIF without tag":        {soi + packet(8) + segment(0xe1, exifApp+exif(little, entry{0x010f, 2, 2, "a"})) + sos, 8},
		"EXIF of bytes, then XMP": {soi + packet(8) + segment(0xe1, exifApp+exif(little, entry{tag, 1, 1, "\x06"})) + sos, 1},
		"EXIF damaged, then XMP":  {soi + packet(8) + segment(0xe1, exifApp+"damaged") + sos, 1},
		"BigTIFF in EXIF, big":    {soi + segment(0xe1, exifApp+"MM\x00+"+exif(binary.BigEndian, entry{tag, 3, 1, "\x00\x06"})[4:]) + sos, 6},
		"BigTIFF in EXIF, little": {soi + segment(0xe1, exifApp+"II+\x00"+block[4:]) + sos, 1},
	} {
		if got := orientation.JPEG([]byte(c.file)); got != c.want {
			t.Errorf("%s: orientation %d, want %d", name, got, c.want)
		}
	}
}

func chunk(name, body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + name + body + "sum."
}

func deflated(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func TestPNG(t *testing.T) {
	const head, data, end = "\x89PNG\r\n\x1a\n", "IDAT", "IEND"
	profile := "\nexif\n" + fmt.Sprintf("%8d\n", len(block)) + hex.EncodeToString([]byte(block[:20])) + "\n" + hex.EncodeToString([]byte(block[20:])) + "\n"
	other := exif(little, entry{tag, 3, 1, "\x08\x00"})
	packet := xmp(`<a tiff:Orientation="5"/>`)
	for name, c := range map[string]struct {
		chunks string
		want   int
	}{
		"eXIf":                   {chunk("eXIf", block) + chunk(data, ""), 6},
		"eXIf behind the pixels": {chunk(data, "") + chunk("eXIf", block), 6},
		"the last one counts":    {chunk("eXIf", block) + chunk(data, "") + chunk("eXIf", other), 8},
		"behind the end":         {chunk(data, "") + chunk(end, "") + chunk("eXIf", block), 1},
		"in a later frame":       {chunk("acTL", "") + chunk(data, "") + chunk("fcTL", "") + chunk("eXIf", block), 1},
		"frames, not animated":   {chunk(data, "") + chunk("fcTL", "") + chunk("eXIf", block), 6},
		"tEXt":                   {chunk("tEXt", "Raw profile type exif\x00"+profile), 6},
		"zTXt":                   {chunk("zTXt", "Raw profile type exif\x00\x00"+deflated(profile)), 6},
		"zTXt, another method":   {chunk("zTXt", "Raw profile type exif\x00\x01"+deflated(profile)), 1},
		"iTXt":                   {chunk("iTXt", "Raw profile type exif\x00\x00\x00en\x00\x00"+profile), 6},
		"iTXt, compressed":       {chunk("iTXt", "Raw profile type exif\x00\x01\x00\x00\x00"+deflated(profile)), 6},
		"profile and eXIf":       {chunk("eXIf", other) + chunk("tEXt", "Raw profile type exif\x00"+profile), 8},
		"text exif":              {chunk("tEXt", "exif\x00"+block), 6},
		"XMP":                    {chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+packet), 5},
		"XMP, compressed":        {chunk("iTXt", "XML:com.adobe.xmp\x00\x01\x00\x00\x00"+deflated(packet)), 5},
		"XMP and eXIf":           {chunk("eXIf", block) + chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+packet), 6},
		"digits that are none":   {chunk("tEXt", "Raw profile type exif\x00\nexif\n 4\nxyzw") + chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+packet), 1},
		"damaged deflate":        {chunk("zTXt", "Raw profile type exif\x00\x00nonsense"), 1},
		"cut":                    {chunk("eXIf", block)[:20], 1},
		"nothing":                {"", 1},
	} {
		if got := orientation.PNG([]byte(head + c.chunks)); got != c.want {
			t.Errorf("%s: orientation %d, want %d", name, got, c.want)
		}
	}
}

func TestWebP(t *testing.T) {
	riff := func(chunks ...string) []byte {
		body := "WEBP" + strings.Join(chunks, "")
		return []byte("RIFF" + quad(little, uint32(len(body))) + body)
	}
	chunk := func(name, body string) string {
		return name + quad(little, uint32(len(body))) + body + strings.Repeat("\x00", len(body)%2)
	}
	flags := func(f string) string { return chunk("VP8X", f+"\x00\x00\x00\x00\x00\x00\x00\x00\x00") }
	odd := chunk("VP8L", "odd")
	packet := xmp(`<a tiff:Orientation="5"/>`)
	for name, c := range map[string]struct {
		data []byte
		want int
	}{
		"EXIF":                   {riff(flags("\x08"), odd, chunk("EXIF", block)), 6},
		"EXIF with its name":     {riff(flags("\x08"), odd, chunk("EXIF", exifApp+block)), 6},
		"not announced":          {riff(flags("\x00"), odd, chunk("EXIF", block)), 1},
		"no extended header":     {riff(odd, chunk("EXIF", block)), 1},
		"the first one counts":   {riff(flags("\x08"), odd, chunk("EXIF", block), chunk("EXIF", "xx")), 6},
		"XMP":                    {riff(flags("\x04"), odd, chunk("XMP ", packet)), 5},
		"XMP, not announced":     {riff(flags("\x08"), odd, chunk("XMP ", packet)), 1},
		"EXIF and XMP":           {riff(flags("\x0c"), odd, chunk("XMP ", packet), chunk("EXIF", block)), 6},
		"behind the file's end":  {append(riff(flags("\x08"), odd), chunk("EXIF", block)...), 1},
		"cut":                    {riff(flags("\x08"), chunk("EXIF", block))[:50], 1},
		"nothing":                {[]byte("RIFF\x00\x00\x00\x00"), 1},
		"a size that is too low": {[]byte("RIFF\x00\x00\x00\x00WEBPVP8X"), 1},
	} {
		if got := orientation.WebP(c.data); got != c.want {
			t.Errorf("%s: orientation %d, want %d", name, got, c.want)
		}
	}
}

func TestTIFF(t *testing.T) {
	packet := xmp(`<a tiff:Orientation="5"/>`)
	bigTIFF := "II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x12\x01\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		data string
		want int
	}{
		"TIFF":                   {block, 6},
		"big-endian":             {exif(binary.BigEndian, entry{tag, 3, 1, "\x00\x06"}), 6},
		"number of another file": {"II\x00*" + block[4:], 6},
		"BigTIFF":                {bigTIFF, 6},
		"BigTIFF, cut":           {bigTIFF[:12], 1},
		"XMP":                    {exif(little, entry{700, 1, uint32(len(packet)), packet}), 5},
		"XMP of numbers":         {exif(little, entry{700, 3, uint32(len(packet) / 2), packet}), 1},
		"both":                   {exif(little, entry{tag, 3, 1, "\x06\x00"}, entry{700, 1, uint32(len(packet)), packet}), 6},
		"nothing":                {"", 1},
	} {
		if got := orientation.TIFF([]byte(c.data)); got != c.want {
			t.Errorf("%s: orientation %d, want %d", name, got, c.want)
		}
	}
}

// FuzzAll: whatever the bytes, there is an orientation, and nothing is read behind them or
// changed.
func FuzzAll(f *testing.F) {
	f.Add([]byte(block))
	f.Add(jpeg(block))
	f.Add([]byte(soi + segment(0xe1, exifApp+block[:9]) + segment(0xe1, exifApp+block[9:]) + segment(0xe1, xmpApp+xmp(`tiff:Orientation="6"`)) + sos))
	f.Add([]byte("\x89PNG\r\n\x1a\n" + chunk("eXIf", block) + chunk("zTXt", "Raw profile type exif\x00\x00"+deflated("\nexif\n 3\n4949"))))
	f.Add([]byte("\x89PNG\r\n\x1a\n" + chunk("iTXt", "XML:com.adobe.xmp\x00\x01\x00\x00\x00"+deflated("tiff:Orientation>6"))))
	f.Add([]byte("RIFF\x50\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00EXIF\x1a\x00\x00\x00" + block))
	f.Fuzz(func(t *testing.T, data []byte) {
		// What lies behind is not looked at, and no room for it is taken.
		behind := bytes.Clone(append(data[:len(data):len(data)], block...))[:len(data):len(data)]
		for name, read := range map[string]func([]byte) int{"JPEG": orientation.JPEG, "PNG": orientation.PNG, "WebP": orientation.WebP, "TIFF": orientation.TIFF} {
			if got := read(behind); got < 1 || got > 8 || got != read(bytes.Clone(data)) {
				t.Errorf("%s: orientation %d", name, got)
			}
		}
		if !bytes.Equal(behind, data) {
			t.Error("the bytes were changed")
		}
	})
}
