package main

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	groups, err := lastRuns([]record{
		made("1", "gemm threads 2", "lookalike", 1, product(1000, 1000, 1000, 10)),
		made("1", "gemm threads 2", "openblas", 1, product(1000, 1000, 1000, 20)),
		made("1", "gemm threads 2", "lookalike", 1, product(10, 10, 10, 4)),
		made("1", "gemm threads 2", "openblas", 1, product(10, 10, 10, 2)),
		made("1", "vgg16 batch 1", "lookalike", 1, vgg(1, 50, 700)),
		made("1", "vgg16 batch 1", "lookalike avx2", 1, vgg(1, 70, 700)),
		made("1", "vgg16 batch 1", "ort", 1, vgg(1, 150, 1074)),
		made("1", "vgg16 batch 1", "mnn", 1, vgg(1, 100, 1400)),
		made("1", "vgg16 batch 8", "lookalike", 1, vgg(8, 50, 700)), // nobody else did it
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `| gemm threads 2, geometric mean | | OpenBLAS | 1.00 (1.00–1.00) | |
| vgg16 batch 1 threads 2 | 50.00 | 100 (MNN) | 2.00 (2.00–2.00) | 700 against 1400 |
`
	for _, c := range []struct {
		only []string
		want string
	}{{nil, want}, {[]string{"vgg16 batch 1 "}, want[strings.Index(want, "| vgg16"):]}, {[]string{}, ""}} {
		if _, got, _ := strings.Cut(summary(groups, c.only), "|---|\n"); got != c.want {
			t.Errorf("summary\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestReplaceTable(t *testing.T) {
	got, err := replaceTable("a\n"+tableBegins+"\nold\n"+tableEnds+"\nb\n", "new\n")
	if want := "a\n" + tableBegins + "\nnew\n" + tableEnds + "\nb\n"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, text := range []string{"", tableBegins, tableEnds + tableBegins} {
		if _, err := replaceTable(text, ""); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
