package exchange

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// Fields are those of encoding/csv, and so are errors.
func TestCSVFields(t *testing.T) {
	const letters = "ab,,\"\"\n\r"
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		var text strings.Builder
		for range rng.IntN(12) {
			text.WriteByte(letters[rng.IntN(len(letters))])
		}
		in := csv.NewReader(strings.NewReader(text.String()))
		in.FieldsPerRecord = -1
		want, wantErr := in.ReadAll()
		var got [][]string
		fields := newCSVFields(bufio.NewReaderSize(strings.NewReader(text.String()), 16))
		for {
			field, first, err := fields.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				var a, b *csv.ParseError
				if !errors.As(err, &a) || !errors.As(wantErr, &b) || a.StartLine != b.StartLine || a.Line != b.Line || a.Err != b.Err {
					t.Fatalf("%q: error %v, want %v", text.String(), err, wantErr)
				}
				got = nil
				break
			}
			if first {
				got = append(got, nil)
			}
			got[len(got)-1] = append(got[len(got)-1], string(field))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %q, want %q, %v", text.String(), got, want, wantErr)
		}
	}
}
