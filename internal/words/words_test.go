package words

import "testing"

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 0.2: "1s", 59: "59s", 60: "1m00s", 3599: "59m59s", 3600: "1h00m", 100000: "27h46m", 1e300: "27777h46m"} {
		if got := Duration(seconds); got != want {
			t.Errorf("Duration(%v) = %s, want %s", seconds, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for _, c := range []struct {
		n           int
		thing, want string
	}{{1, "query", "1 query"}, {2, "query", "2 queries"}, {0, "class", "0 classes"}, {3, "array", "3 arrays"}, {5, "picture", "5 pictures"}} {
		if got := Count(c.n, c.thing); got != c.want {
			t.Errorf("%d %s: %s", c.n, c.thing, got)
		}
	}
}
