package aligned

import (
	"bytes"
	"image/jpeg"
	"testing"

	"lookalike/internal/sample"
	"lookalike/picture"
)

func gallery() (all []*picture.Image) {
	for p := range sample.Gallery(1, 2, 200) {
		all = append(all, picture.FromImage(p.Image))
	}
	return all
}

func saved(t *testing.T, m *picture.Image, quality int) *picture.Image {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m.RGBA(), &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	out, err := picture.Decode(&b, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func flat(w, h int, v uint8) *picture.Image {
	m := picture.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = v
	}
	return m
}

// Copies are the same, in both orders, and other pictures are not.
func TestCopies(t *testing.T) {
	all := gallery()
	views := make([]*View, len(all))
	for i, m := range all {
		views[i] = Look(m)
		darker := picture.New(m.Width, m.Height)
		cut := picture.New(m.Width-6, m.Height-6)
		for k, x := range m.Pix {
			darker.Pix[k] = uint8(int(x) * 8 / 10)
		}
		for y := range cut.Height {
			copy(cut.Pix[3*y*cut.Width:][:3*cut.Width], m.Pix[3*((y+3)*m.Width+3):])
		}
		for name, c := range map[string]*picture.Image{
			"itself": m, "half": picture.Area(m, 100, 100), "twice": picture.Bilinear(m, 400, 400),
			"JPEG": saved(t, m, 40), "darker": darker, "cut": cut,
		} {
			v := Look(c)
			if got := Compare(views[i], v); got != Same {
				_, why := Why(views[i], v)
				t.Errorf("picture %d, %s: %v %+v", i, name, got, why)
			}
			if got := Compare(v, views[i]); got != Same {
				t.Errorf("picture %d, %s, the other way: %v", i, name, got)
			}
		}
		for k, other := range views[:i] {
			if Compare(views[i], other) == Same {
				t.Errorf("pictures %d and %d are the same", i, k)
			}
		}
	}
}

// Where there is nothing to see only equal pixels are the same.
func TestTooLittle(t *testing.T) {
	white, black := Look(flat(300, 400, 255)), Look(flat(300, 400, 0))
	if got := Compare(white, black); got == Same {
		t.Errorf("white and black are %v", got)
	}
	if got := Compare(white, Look(flat(300, 400, 254))); got != Unclear {
		t.Errorf("white and nearly white are %v", got)
	}
	if got := Compare(white, Look(flat(300, 400, 255))); got != Same {
		t.Errorf("equal pixels are %v", got)
	}
	if got := Compare(white, Look(flat(150, 200, 255))); got != Unclear {
		t.Errorf("white of two sizes is %v", got)
	}
}

// On plain ground what is written is the picture: one other word makes another form, where
// it makes a photograph no other one.
func TestPlainGround(t *testing.T) {
	form := func(value int) *picture.Image {
		m := flat(400, 500, 255)
		bar := func(x, y, w, h int) {
			for i := y; i < y+h; i++ {
				for k := x; k < x+w; k++ {
					m.Pix[3*(i*400+k)], m.Pix[3*(i*400+k)+1], m.Pix[3*(i*400+k)+2] = 20, 20, 20
				}
			}
		}
		for line := range 20 {
			for k := range 20 { // what is printed
				if (line*7+k*k*3)%5 > 1 {
					bar(30+k*14, 20+24*line, 5+(line+k)%6, 12)
				}
			}
		}
		for k := range 8 {
			if value>>k&1 == 1 {
				bar(310+k*9, 20+24*9, 6, 12)
			}
		}
		return m
	}
	a := Look(form(0b10110011))
	if got := Compare(a, Look(saved(t, picture.Area(form(0b10110011), 300, 375), 60))); got != Same {
		t.Errorf("a copy is %v", got)
	}
	if got := Compare(a, Look(form(0b01011010))); got != Different {
		t.Errorf("with another value it is %v", got)
	}
}

// Pictures of any size, with alpha and without, are compared.
func TestExtremes(t *testing.T) {
	var views []*View
	for _, size := range [][2]int{{1, 1}, {1, 3000}, {3000, 1}, {7, 5}, {33, 31}, {257, 255}} {
		m := picture.New(size[0], size[1])
		for i := range m.Pix {
			m.Pix[i] = uint8(i * i / 7)
		}
		views = append(views, Look(m))
		see := picture.Image{Width: m.Width, Height: m.Height, Pix: m.Pix, Alpha: m.Pix[:m.Width*m.Height]}
		views = append(views, Look(&see))
	}
	for i, a := range views {
		for k, b := range views {
			if got := Compare(a, b); (got == Same) != (i == k) && i/2 != k/2 {
				t.Errorf("%d and %d are %v", i, k, got)
			}
		}
	}
}
