// Package augment changes pictures at random, so that training sees each of them
// otherwise in every epoch: turned about, in part, lighter, paler. What is done
// is what Keras's layers RandomFlip, RandomCrop, RandomBrightness,
// RandomContrast and RandomSaturation do, in this order.
package augment

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"lookalike/picture"
)

// Config says what may be done to a picture, and how much of it; values are from
// 0, for nothing, to below 1. The zero value leaves pictures as they are.
type Config struct {
	// Flip mirrors every second picture: RandomFlip("horizontal").
	Flip bool

	// Crop keeps a square of 1-Crop to 1 times the side, anywhere, and resizes it
	// to the whole: RandomCrop followed by Resizing.
	Crop float64

	Brightness float64 // RandomBrightness(Brightness): up to this part of the full range is added or taken away
	Contrast   float64 // RandomContrast(Contrast): distances from a channel's mean grow by 1-Contrast to 1+Contrast

	// Saturation is RandomSaturation((0.5 - Saturation/2, 0.5 + Saturation/2)):
	// the saturation of HSV is multiplied by u/(1-u) for a u of that range, from
	// (1-Saturation)/(1+Saturation) to the inverse of it.
	Saturation float64
}

// usual is how much is done if nobody says.
const usual = 0.2

// option is a kind of change as it is written in text.
type option struct {
	name  string
	value *float64
}

func (c *Config) options() []option {
	return []option{{"crop", &c.Crop}, {"brightness", &c.Brightness}, {"contrast", &c.Contrast}, {"saturation", &c.Saturation}}
}

// Parse reads what String writes, such as "flip,crop=0.2,contrast=0.1": changes,
// with how much of each unless that is 0.2. "color" stands for brightness,
// contrast and saturation together. The empty text is no change.
func Parse(text string) (Config, error) {
	var c Config
	if text == "" {
		return c, nil
	}
	seen := map[string]bool{}
	for _, part := range strings.Split(text, ",") {
		name, number, has := strings.Cut(strings.TrimSpace(part), "=")
		amount := usual
		if has {
			var err error
			if amount, err = strconv.ParseFloat(number, 64); err != nil || !(amount > 0 && amount < 1) {
				return c, fmt.Errorf("augment: %s=%s: give a number between 0 and 1, such as %s=%v", name, number, name, usual)
			}
		}
		var names []string
		switch name {
		case "flip":
			if has {
				return c, fmt.Errorf("augment: flip takes no number: it mirrors every second picture")
			}
			names = []string{"flip"}
		case "color", "colour":
			names = []string{"brightness", "contrast", "saturation"}
		default:
			names = []string{name}
		}
		for _, name := range names {
			if seen[name] {
				return c, fmt.Errorf("augment: %s comes twice", name)
			}
			seen[name] = true
			known := name == "flip"
			c.Flip = c.Flip || known
			for _, o := range c.options() {
				if o.name == name {
					*o.value, known = amount, true
				}
			}
			if !known {
				return c, fmt.Errorf("augment: there is no change %q, only flip, crop, brightness, contrast, saturation, and color for the last three", name)
			}
		}
	}
	return c, nil
}

// Check returns an error unless the amounts make sense.
func (c Config) Check() error {
	for _, o := range c.options() {
		if !(*o.value >= 0 && *o.value < 1) {
			return fmt.Errorf("augment: %s of %v is not in [0, 1)", o.name, *o.value)
		}
	}
	return nil
}

// String is the configuration as Parse reads it, each in one way only.
func (c Config) String() string {
	var parts []string
	if c.Flip {
		parts = append(parts, "flip")
	}
	for _, o := range c.options() {
		if *o.value != 0 {
			parts = append(parts, fmt.Sprintf("%s=%v", o.name, *o.value))
		}
	}
	return strings.Join(parts, ",")
}

// Change is what is done to one picture.
type Change struct {
	Flip            bool
	Left, Top, Side int     // the square that is kept; a Side of 0 keeps all
	Brightness      float32 // is added to values from 0 to 1
	Contrast        float32 // distances from a channel's mean are multiplied by it
	Saturation      float32 // that of HSV is multiplied by it
}

// Draw draws the change of picture number row in an epoch, a square of that
// side. It depends on its arguments alone. Amounts that make no sense panic, and so
// does a side below 1.
func (c Config) Draw(seed uint64, epoch, row, side int) Change {
	if err := c.Check(); err != nil {
		panic(strings.Replace(err.Error(), "augment:", "augment.Draw:", 1))
	}
	if side < 1 {
		panic(fmt.Sprintf("augment.Draw: a side of %d is below 1", side))
	}
	rng := rand.New(rand.NewPCG(seed^0x6175676d656e74, uint64(epoch)<<32|uint64(uint32(row))))
	// Every number is drawn whether it is used or not, so that one option does
	// not change what another does.
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	ch := Change{Flip: rng.Float64() < 0.5 && c.Flip}
	part, left, top := between(1-c.Crop, 1), rng.Float64(), rng.Float64()
	if kept := max(1, int(math.Round(part*float64(side)))); kept < side {
		ch.Side = kept
		ch.Left, ch.Top = int(left*float64(side-kept+1)), int(top*float64(side-kept+1))
	}
	ch.Brightness = float32(between(-c.Brightness, c.Brightness))
	ch.Contrast = float32(between(1-c.Contrast, 1+c.Contrast))
	u := between(0.5-c.Saturation/2, 0.5+c.Saturation/2)
	ch.Saturation = float32(u / (1 - u))
	return ch
}

// Shape returns the picture cropped, brought to its size again, and flipped; p
// itself is left alone. It panics if there are no pixels, and if the square that is kept
// lies outside.
func (c Change) Shape(p *picture.Image) *picture.Image {
	if err := p.Check(); err != nil {
		panic("augment.Shape: " + err.Error())
	}
	if least := min(p.Width, p.Height); c.Side < 0 || c.Side > least || c.Side > 0 && (c.Left < 0 || c.Top < 0 || c.Left > p.Width-c.Side || c.Top > p.Height-c.Side) {
		panic(fmt.Sprintf("augment.Shape: a picture of %dx%d has no square of side %d at %d, %d", p.Width, p.Height, c.Side, c.Left, c.Top))
	}
	if side := cmp.Or(c.Side, p.Width); side < p.Width {
		part := picture.New(side, side)
		for y := range side {
			at := 3 * ((c.Top+y)*p.Width + c.Left)
			copy(part.Pix[3*y*side:3*(y+1)*side], p.Pix[at:])
		}
		p = picture.Bilinear(part, p.Width, p.Height)
	}
	if !c.Flip {
		return p
	}
	out := picture.New(p.Width, p.Height)
	for y := range p.Height {
		from, to := p.Pix[3*y*p.Width:], out.Pix[3*y*p.Width:]
		for x := range p.Width {
			copy(to[3*x:3*x+3], from[3*(p.Width-1-x):])
		}
	}
	return out
}

// Colours changes the colours of a picture in place: RGB values from 0 to 1,
// interleaved. They stay in that range. It panics if a pixel is not whole, and if an
// amount is not a number, or below 0 where it multiplies.
func (c Change) Colours(pixels []float32) {
	if len(pixels)%3 != 0 {
		panic(fmt.Sprintf("augment.Colours: %d values are not pixels of 3 each", len(pixels)))
	}
	if c.Brightness-c.Brightness != 0 || !(c.Contrast >= 0 && c.Contrast <= math.MaxFloat32) || !(c.Saturation >= 0 && c.Saturation <= math.MaxFloat32) {
		panic(fmt.Sprintf("augment.Colours: brightness %v, contrast %v and saturation %v make no colours", c.Brightness, c.Contrast, c.Saturation))
	}
	if c.Brightness != 0 {
		for i, v := range pixels {
			pixels[i] = unit(v + c.Brightness)
		}
	}
	if c.Contrast != 1 {
		var mean [3]float64
		for i, v := range pixels {
			mean[i%3] += float64(v)
		}
		for i, v := range pixels {
			m := float32(mean[i%3] / float64(len(pixels)/3))
			pixels[i] = unit((v-m)*c.Contrast + m)
		}
	}
	if c.Saturation != 1 {
		for i := 0; i+2 < len(pixels); i += 3 {
			saturate(pixels[i:i+3], c.Saturation)
		}
	}
}

func unit(v float32) float32 { return min(max(v, 0), 1) }

// saturate multiplies the saturation of HSV, at most to 1. Hue and value stay if
// every channel's distance from the greatest grows by the same factor, and the
// saturation is the distance of the least, as part of the greatest.
func saturate(rgb []float32, by float32) {
	value := max(rgb[0], rgb[1], rgb[2])
	distance := value - min(rgb[0], rgb[1], rgb[2])
	if distance == 0 {
		return // grey
	}
	by = min(by, value/distance)
	for i, v := range rgb {
		rgb[i] = unit(value - (value-v)*by)
	}
}
