package picture

import (
	"bytes"

	"golang.org/x/image/webp"
)

func decodeWebP(data []byte) (*Image, error) {
	src, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return FromImage(src), nil
}
