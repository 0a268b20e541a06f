package weights_test

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/internal/misusetest"
	"lookalike/tensor"
	"lookalike/weights"
)

func named(call string, err error) error { return fmt.Errorf("%s: %w", call, err) }

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	none := map[string]*tensor.Tensor{"w": nil}
	misusetest.Check(t, map[string]func() error{
		`weights: cannot read -1 bytes`:           func() error { _, err := weights.Read(bytes.NewReader(nil), -1); return err },
		`weights: cannot read 5 bytes from <nil>`: func() error { _, err := weights.Read(nil, 5); return err },
		`weights: write |"w"`:                     func() error { return weights.Save(file, none, nil) },
		`weights: write |array "w"`:               func() error { return weights.SaveNPZ(file, none, nil) },
		`no format known`: func() error {
			_, err := weights.Read(strings.NewReader("junk junk junk junk junk"), math.MaxInt64)
			return err
		},
		`weights: the file is nil|Hold`:   func() error { return named("Hold", (*weights.File)(nil).Hold()) },
		`weights: the file is nil|Close`:  func() error { return named("Close", (*weights.File)(nil).Close()) },
		`weights: the file is nil|Tensor`: func() error { _, err := (*weights.File)(nil).Tensor("w"); return named("Tensor", err) },
		`weights: the file is nil|View`:   func() error { _, err := (*weights.File)(nil).View("w"); return named("View", err) },
		`weights: the file is nil|ReadTo`: func() error { return named("ReadTo", (*weights.File)(nil).ReadTo(tensor.New(1), "w")) },
		`0 [] map[] ""`: func() error {
			var f *weights.File
			_, ok := f.Shape("w")
			return fmt.Errorf("0 %v %v %q %v", f.Names(), f.Metadata(), f.Type("w")+f.Format(), ok)
		},
		`<nil>`:                            func() error { return weights.Save(file, nil, nil, nil, weights.Half) },
		`weights: no source given|Compare`: func() error { return named("Compare", weights.Compare(nil, nil)) },
		`weights: the file is nil|Texts`: func() error {
			_, err := (*weights.File)(nil).Texts("w")
			return fmt.Errorf("Texts: %w %v", err, (*weights.File)(nil).TextNames())
		},
		`weights.Release: the file is nil`: func() error { (*weights.File)(nil).Release(); return nil },
		`weights: no source`:               func() error { return weights.Load(nil, nil) },
	})
}
