package augment_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"lookalike/augment"
	"lookalike/internal/kerastest"
	"lookalike/picture"
	"lookalike/tensor"
)

// none is the change that leaves a picture as it is.
var none = augment.Change{Contrast: 1, Saturation: 1}

// TestEqualsKeras makes the changes that Keras's layers were told to make.
func TestEqualsKeras(t *testing.T) {
	f := kerastest.Open(t, "augment.safetensors")
	get := func(name string) *tensor.Tensor { return kerastest.Tensor(t, f, name) }
	images := get("images")
	with := func(set func(*augment.Change)) augment.Change {
		c := none
		set(&c)
		return c
	}
	for name, c := range map[string]augment.Change{
		"flipped":         with(func(c *augment.Change) { c.Flip = true }),
		"cropped/0_0":     with(func(c *augment.Change) { c.Side = 13 }),
		"cropped/7_7":     with(func(c *augment.Change) { c.Side, c.Top, c.Left = 13, 7, 7 }),
		"cropped/3_5":     with(func(c *augment.Change) { c.Side, c.Top, c.Left = 13, 3, 5 }),
		"brighter/-0.3":   with(func(c *augment.Change) { c.Brightness = -0.3 }),
		"brighter/0.15":   with(func(c *augment.Change) { c.Brightness = 0.15 }),
		"contrast/0.5":    with(func(c *augment.Change) { c.Contrast = 0.5 }),
		"contrast/1.4":    with(func(c *augment.Change) { c.Contrast = 1.4 }),
		"saturation/0.25": with(func(c *augment.Change) { c.Saturation = 0.25 }),
		"saturation/1.75": with(func(c *augment.Change) { c.Saturation = 1.75 }),
		"all":             {Flip: true, Brightness: 0.1, Contrast: 1.3, Saturation: 0.7},
	} {
		want := get(name)
		tolerance := 2e-6
		if strings.HasPrefix(name, "cropped") {
			tolerance = 1.0001 / 255 // OpenCV's fixed-point resize is within a level
		}
		for i := range images.Dim(0) {
			p := picture.New(20, 20)
			for j, v := range images.Row(i) {
				p.Pix[j] = uint8(math.Round(float64(v) * 255))
			}
			before := append([]uint8(nil), p.Pix...)
			pixels := make([]float32, len(p.Pix))
			for j, v := range c.Shape(p).Pix {
				pixels[j] = float32(v) / 255
			}
			c.Colours(pixels)
			if !reflect.DeepEqual(p.Pix, before) {
				t.Fatalf("%s: the picture itself was changed", name)
			}
			for j, w := range want.Row(i) {
				if d := math.Abs(float64(pixels[j] - w)); !(d <= tolerance) {
					t.Fatalf("%s: picture %d, value %d is %v, Keras %v", name, i, j, pixels[j], w)
				}
			}
		}
	}
}

// TestDraw: changes stay in their range and use all of it, and each depends on
// seed, epoch and picture alone.
func TestDraw(t *testing.T) {
	c := augment.Config{Flip: true, Crop: 0.25, Brightness: 0.1, Contrast: 0.3, Saturation: 0.5}
	const n, side = 4000, 100
	var flips int
	least, most := [6]float64{}, [6]float64{}
	for i := range least {
		least[i], most[i] = math.Inf(1), math.Inf(-1)
	}
	seen := map[augment.Change]bool{}
	for i := range n {
		ch := c.Draw(1, i/50, i%50, side)
		if ch != c.Draw(1, i/50, i%50, side) {
			t.Fatal("drawn twice, two changes")
		}
		seen[ch] = true
		if ch.Flip {
			flips++
		}
		kept := ch.Side
		if kept == 0 {
			kept = side
		}
		if ch.Left < 0 || ch.Top < 0 || ch.Left+kept > side || ch.Top+kept > side {
			t.Fatalf("%+v is not within the picture", ch)
		}
		for j, v := range []float64{float64(kept), float64(ch.Left), float64(ch.Top), float64(ch.Brightness), float64(ch.Contrast), float64(ch.Saturation)} {
			least[j], most[j] = min(least[j], v), max(most[j], v)
		}
	}
	if len(seen) < n-1 {
		t.Errorf("%d changes in %d pictures", len(seen), n)
	}
	if math.Abs(float64(flips)-n/2) > 4*math.Sqrt(n/4) {
		t.Errorf("%d of %d flipped", flips, n)
	}
	for j, want := range [6][3]float64{{75, 100, 0}, {0, 25, 2}, {0, 25, 2}, {-0.1, 0.1, 1e-3}, {0.7, 1.3, 1e-3}, {1. / 3, 3, 1e-2}} {
		if least[j] < want[0]-1e-6 || least[j] > want[0]+want[2]+1e-6 || most[j] > want[1]+1e-6 || most[j] < want[1]-want[2]-1e-6 {
			t.Errorf("value %d lies in [%v, %v], want about %v", j, least[j], most[j], want)
		}
	}
	if ch := (augment.Config{}).Draw(1, 2, 3, side); ch != none {
		t.Errorf("without options %+v", ch)
	}
	if a, b := c.Draw(1, 2, 3, side), (augment.Config{Contrast: 0.3}).Draw(1, 2, 3, side); a.Contrast != b.Contrast {
		t.Error("the contrast depends on other options")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]augment.Config{
		"":                             {},
		"flip":                         {Flip: true},
		"flip, crop":                   {Flip: true, Crop: 0.2},
		"color=0.1,crop=0.3":           {Crop: 0.3, Brightness: 0.1, Contrast: 0.1, Saturation: 0.1},
		"brightness=0.5,saturation":    {Brightness: 0.5, Saturation: 0.2},
		"contrast=0.05,flip,colour=.1": {},
	} {
		c, err := augment.Parse(text)
		if strings.Contains(text, "colour") {
			if fmt.Sprint(err) != "augment: contrast comes twice" {
				t.Errorf("%q: error %v", text, err)
			}
			continue
		}
		if err != nil || c != want {
			t.Errorf("%q: %+v, %v; want %+v", text, c, err, want)
		}
		if again, err := augment.Parse(c.String()); err != nil || again != c {
			t.Errorf("%q becomes %q, and that %+v, %v", text, c.String(), again, err)
		}
	}
	for text, want := range map[string]string{
		"rotate":   `no change "rotate", only flip, crop`,
		"flip,":    `no change ""`,
		"crop=0":   "crop=0: give a number between 0 and 1",
		"crop=1":   "crop=1: give a number",
		"crop=NaN": "crop=NaN: give a number",
		"crop=":    "crop=: give a number",
		"flip=0.5": "flip takes no number",
	} {
		if _, err := augment.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}
