package weights

import (
	"io"

	"lookalike/internal/atomicfile"
)

// Option changes how Save, SaveNPZ and SaveKeras write.
type Option func(*writing)

// Half stores float16, rounded to nearest, ties to even: half the size, and
// three of seven decimal digits. A finite value that float16 cannot hold is an
// error that names its array.
var Half Option = func(w *writing) { w.half = true }

// Watch tells f how many bytes have been written, soon after they are. An error
// of f ends the work and is found in that of the caller; no file is left then.
func Watch(f func(bytes int64) error) Option { return func(w *writing) { w.watch = f } }

// Exclusive makes a file that must not exist: one that is there, or appears meanwhile,
// stays as it is, and the error is fs.ErrExist. Without it a file is replaced.
var Exclusive Option = func(w *writing) { w.exclusive = true }

// Checked is Exclusive and lets f look at the file before it takes its name: it lies
// whole on the disk at the path that f is given. After an error of f, which is found in
// that of the caller, no file is left.
func Checked(f func(path string) error) Option {
	return func(w *writing) { w.exclusive, w.check = true, f }
}

// writing is what options say.
type writing struct {
	half      bool
	watch     func(bytes int64) error // or nil
	exclusive bool
	check     func(path string) error // or nil
}

func settle(options []Option) writing {
	var w writing
	for _, o := range options {
		if o != nil {
			o(&w)
		}
	}
	return w
}

// dtype is how values are stored.
func (w writing) dtype() dtype {
	if w.half {
		return dtypes["F16"]
	}
	return dtypes["F32"]
}

// write makes the file at path, whole or not at all.
func (w writing) write(path string, content func(io.Writer) error) error {
	put := func(out io.Writer) error {
		if w.watch != nil {
			out = &watched{out: out, watch: w.watch}
		}
		return content(out)
	}
	if w.exclusive {
		return atomicfile.CreateChecked(path, put, w.check)
	}
	return atomicfile.Write(path, put)
}

// watched is a writer that tells how much has gone through it.
type watched struct {
	out   io.Writer
	bytes int64
	watch func(bytes int64) error
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.bytes += int64(n)
	if err == nil {
		err = w.watch(w.bytes)
	}
	return n, err
}
