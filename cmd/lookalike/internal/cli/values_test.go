package cli

import "testing"

// A size can be printed and read again.
func TestByteSize(t *testing.T) {
	for text, want := range map[string]ByteSize{
		"800MB": 800e6, "2GiB": 2 << 30, "1.5 gb": 15e8, "64M": 64e6, "33554432B": 32 << 20, "": 0,
	} {
		var got, again ByteSize
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%q is read as %d bytes (%v), want %d", text, got, err, want)
		}
		if err := again.Set(got.String()); err != nil || again != got {
			t.Errorf("%d bytes are written as %q, which is read as %d (%v)", got, got.String(), again, err)
		}
	}
	for _, text := range []string{"12", "800", "MB", "-1GB", "1MB", "NaNGB", "1e300GB", "8 0 0MB", "800PB"} {
		var got ByteSize
		if err := got.Set(text); err == nil {
			t.Errorf("%q is read as %d bytes", text, got)
		}
	}
}
