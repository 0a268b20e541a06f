package weights

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// readAll opens a file of size bytes, of which content is there, and reads
// everything in it. It returns the number of values.
func readAll(content []byte, size int) (values int, err error) {
	f, err := Read(bytes.NewReader(content), int64(size))
	if err != nil {
		return 0, err
	}
	for _, name := range f.Names() {
		shape, ok := f.Shape(name)
		if !ok {
			panic(fmt.Sprintf("%q is listed and absent", name))
		}
		x, e := f.Tensor(name)
		if e != nil {
			err = e
			continue
		}
		if !slices.Equal(x.Shape(), shape) {
			panic(fmt.Sprintf("%q: shapes %v and %v", name, shape, x.Shape()))
		}
		values += x.Len()
	}
	for name := range f.texts {
		if _, e := f.Texts(name); e != nil {
			err = e
		}
	}
	return values, err
}

// measured is readAll with the memory that it took, released or not.
func measured(content []byte) (allocated uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = readAll(content, len(content))
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, err
}

// damaged are the fixtures that are tried with damage at every byte.
var damaged = []string{"mixed.safetensors", "fortran.npy", "small.npz", "small_deflated.npz", "small.pth"}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A file cut anywhere is refused, and so is one that was cut after its size was
// taken, if more than the 22 bytes are gone with which zip archives end.
func TestEveryTruncationIsSeen(t *testing.T) {
	for _, name := range damaged {
		content := readFixture(t, name)
		if _, err := readAll(content, len(content)); err != nil {
			t.Errorf("%s, whole: %v", name, err)
		}
		for n := range content {
			if _, err := Read(bytes.NewReader(content[:n]), int64(n)); err == nil {
				t.Errorf("%s cut to %d of %d bytes: no error", name, n, len(content))
			}
			if _, err := readAll(content[:n], len(content)); err == nil && n < len(content)-22 {
				t.Errorf("%s shrunk to %d of %d bytes: no error", name, n, len(content))
			}
		}
	}
}

// Damage gives an error or arrays of sound shapes, never a panic and never
// memory beyond what the file's size allows.
func TestDamage(t *testing.T) {
	const batch, want = 50, 100_000
	cases := 0
	for _, name := range damaged {
		content := readFixture(t, name)
		rng := rand.New(rand.NewPCG(5, uint64(len(content))))
		whole, err := measured(content)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for k := range max(11*len(content), want/len(damaged)) {
			bad := slices.Clone(content)
			switch place := k / 11 % len(bad); k % 11 {
			case 8:
				bad[place] = 0
			case 9:
				bad[place] = 0xff
			case 10: // several bytes, alike or not
				for range 1 + rng.IntN(8) {
					bad[rng.IntN(len(bad))] = byte(rng.Uint32())
				}
			default:
				bad[place] ^= 1 << (k % 11)
			}
			readAll(bad, len(bad))
			if cases++; cases%batch == 0 {
				runtime.ReadMemStats(&after)
				if got := after.TotalAlloc - before.TotalAlloc; got > batch*(2*whole+uint64(len(content)))+1<<20 {
					t.Errorf("%s: %d cases up to number %d took %d bytes; the undamaged file takes %d", name, batch, k, got, whole)
				}
				before = after
			}
		}
	}
	if cases < want {
		t.Errorf("only %d cases", cases)
	}
}

func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"*.safetensors", "*.npy", "*.npz", "*.pth"} {
		names, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: %q, %v", pattern, names, err)
		}
		for _, name := range names {
			f.Add(readFixture(f, filepath.Base(name)))
		}
	}
	f.Add(file(`{}`, 0))
	f.Add(file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0))
	f.Add(file(`{"__metadata__":{"a":"b"},"a":{"dtype":"F16","shape":[1,0],"data_offsets":[0,0]}}  `, 0))
	f.Fuzz(func(t *testing.T, content []byte) {
		values, err := readAll(content, len(content))
		expanded := bytes.Contains(content, []byte("data.pkl")) // tensors there may repeat values
		if limit := maxInflation * len(content); err == nil && values > limit && !expanded {
			t.Fatalf("%d values out of %d bytes", values, len(content))
		}
	})
}

func FuzzUnpickle(f *testing.F) {
	for _, name := range []string{"small.pth", "tensors.pth", "module.pth"} {
		content := readFixture(f, name)
		entries, err := openZip(&input{ReaderAt: bytes.NewReader(content), size: int64(len(content))})
		if err != nil {
			f.Fatal(err)
		}
		folder, _ := entries.find("data.pkl")
		code, err := entries.content(folder+"data.pkl", maxPickle)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(code)
	}
	f.Fuzz(func(_ *testing.T, code []byte) { unpickle(code) })
}
