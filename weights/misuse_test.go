package weights_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/tensor"
	"lookalike/weights"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	none := map[string]*tensor.Tensor{"w": nil}
	for want, run := range map[string]func() error{
		`weights: cannot read -1 bytes`:           func() error { _, err := weights.Read(bytes.NewReader(nil), -1); return err },
		`weights: cannot read 5 bytes from <nil>`: func() error { _, err := weights.Read(nil, 5); return err },
		`weights: write |"w"`:                     func() error { return weights.Save(file, none, nil) },
		`weights: write |array "w"`:               func() error { return weights.SaveNPZ(file, none, nil) },
		`weights: no source`:                      func() error { return weights.Load(nil, nil) },
	} {
		got := func() (message string) {
			defer func() {
				if r := recover(); r != nil {
					message = fmt.Sprint(r)
				}
			}()
			return fmt.Sprint(run())
		}()
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(got, part) {
				t.Errorf("got %q, want %q", got, part)
			}
		}
	}
}
