package picture

import (
	"errors"

	"lookalike/internal/raw"
)

// rawName is how the format of a camera's raw file is named.
func rawName(kind string) string { return kind + " (camera raw)" }

// rawFormat is how a camera's raw file is read: by the largest JPEG in it, which the
// camera has put there for a glance. Where there is none it is the first picture of a
// TIFF file.
func rawFormat(kind string, data []byte) (f format, inside []byte, err error) {
	jpeg, turn := raw.Preview(data)
	f = formats[0]
	switch {
	case jpeg == nil:
		if f, err = formatOf(data); err == nil && f.way == nil {
			err = errors.New(rawName(kind) + ": there is no picture in it but what the sensor saw, which is not developed here")
		}
		jpeg = data
	case turn != 0:
		f.turn = func([]byte) int { return turn }
	}
	f.name = rawName(kind)
	return f, jpeg, err
}
