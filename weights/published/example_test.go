package published_test

import (
	"context"
	"fmt"
	"log"

	"lookalike/vgg"
	"lookalike/weights/published"
)

// The weights are downloaded the first time.
func ExampleStore_Fetch() {
	watch := published.Watch{Bytes: func(done, total int64) { fmt.Printf("\r%d of %d bytes", done, total) }}
	file, err := published.Store("").Fetch(context.Background(), "vgg16-notop", watch)
	if err != nil {
		log.Fatal(err)
	}
	net, err := vgg.Open(file, vgg.Config{Pooling: vgg.Average})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	fmt.Println(net.DefaultLayer())
}
