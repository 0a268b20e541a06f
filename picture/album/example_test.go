package album_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"lookalike/picture"
	"lookalike/picture/album"
)

// Pictures of a folder as a network takes them: decoded and resized once, on
// all processors, in order; what is no picture is reported and left out.
func ExampleSet_Each() {
	set, err := album.Folder(os.DirFS("../testdata/decode"), picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	small := set.Limit(12).Map(func(m *picture.Image) *picture.Image {
		return picture.Bilinear(m, 224, 224)
	})
	var batch []float32
	err = small.Each(context.Background(), func(i int, m *picture.Image, err error) error {
		if err != nil {
			log.Print("skipped: ", err)
			return nil
		}
		for _, v := range m.Pix {
			batch = append(batch, float32(v)/255)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(small.Len(), "files,", len(batch)/(224*224*3), "pictures")
	// Output: 12 files, 12 pictures
}
