package album

import (
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// TestRecognise: names as people give them, in the encodings of their systems.
func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		encoding encoding.Encoding
		names    []string
	}{
		{japanese.ShiftJIS, []string{"写真/予定表.jpg"}},
		{japanese.ShiftJIS, []string{"表a.jpg", "表b.jpg"}},
		{japanese.ShiftJIS, []string{"猫.jpg", "犬/表.jpg"}},
		{japanese.ShiftJIS, []string{"デジカメ/スキャン001.jpg"}},
		{japanese.ShiftJIS, []string{"夏休みの写真/海.jpg", "夏休みの写真/能登.jpg"}},
		{simplifiedchinese.GBK, []string{"照片/北京.jpg"}},
		{simplifiedchinese.GBK, []string{"新建文件夹/图片1.jpg"}},
		{simplifiedchinese.GBK, []string{"我的照片/上海外滩.jpg", "我的照片/长城.jpg"}},
		{traditionalchinese.Big5, []string{"照片/台北一〇一.jpg", "功課/許可.jpg"}},
		{traditionalchinese.Big5, []string{"新資料夾/圖片.jpg"}},
		{traditionalchinese.Big5, []string{"我的相片/淡水河.jpg"}},
		{korean.EUCKR, []string{"사진/바다에서 찍은 사진.jpg", "새 폴더/가족여행.jpg"}},
		{charmap.CodePage437, []string{"München/Käse.jpg"}},
		{charmap.CodePage437, []string{"été à la mer.jpg", "garçon.jpg"}},
		{charmap.CodePage437, []string{"Fotos de España/niño.jpg"}},
		{charmap.CodePage866, []string{"Фотографии/Москва.jpg"}},
		{charmap.CodePage866, []string{"Новая папка/лето.jpg"}},
	} {
		var raw []string
		for _, name := range c.names {
			bytes, err := c.encoding.NewEncoder().String(name)
			if err != nil {
				t.Fatal(name, err)
			}
			raw = append(raw, bytes)
		}
		n := namingOf(raw, false)
		for i, name := range raw {
			if got := n.path(name); got != c.names[i] {
				t.Errorf("%v: %q is read as %q", c.encoding, c.names[i], got)
			}
		}
	}
}
