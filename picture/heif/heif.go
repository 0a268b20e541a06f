//go:build !noheif && !js && !wasip1

// Package heif brings the decoders of HEIC and AVIF into a program: libheif with libde265,
// and libavif with libaom, in WebAssembly. Importing it adds 4 MB, and its licences: see
// LICENSES in this folder.
//
// These decoders are of others and know no bounds, so they run in processes of their
// own: the program itself, started once more when the first such picture is met, with
// limits of memory and of time. A program that is to read HEIC and AVIF calls Main first
// in its main:
//
//	func main() {
//		heif.Main()
//		…
//	}
//
// Package picture then reads them as all others. Built with the tag noheif, the decoders
// are left out.
package heif

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	_ "unsafe" // for go:linkname

	_ "github.com/gen2brain/heic" // heifWasm
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/emscripten"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"lookalike/internal/worker"
)

// The module's own way to its decoder bounds nothing, so only the code is taken.
//
//go:linkname heifWasm github.com/gen2brain/heic.heifWasm
var heifWasm []byte

// avifWasm is lib/decode.wasm.gz of github.com/gen2brain/avif v0.4.4. The module itself
// would link the system's C library, and those of its versions that do not have a dav1d
// that decodes some pictures to noise.
//
//go:embed libavif.wasm.gz
var avifWasm []byte

// Main returns at once in a program that is to read HEIC and AVIF. In a process that was
// started for decoding it does that, and does not return. It is called before all else.
func Main() {
	worker.Main(map[string]worker.Decoder{
		"HEVC": func(memory int64) (worker.Instance, error) { return newInstance(&hevc, memory) },
		"AV1":  func(memory int64) (worker.Instance, error) { return newInstance(&av1, memory) },
	})
}

// decoder is a library, and how its function decode is called.
type decoder struct {
	code          func() ([]byte, error)
	reserve, free string // memory
	padded        bool   // rows of pixels are as libheif has them

	// arguments has decode tell the size only, or write pixels too; width and height go
	// where numbers begin.
	arguments func(file, length, sizeOnly, numbers, pixels uint64) []uint64
}

const word = 4 // bytes of a number

var hevc = decoder{libheif, "allocate", "deallocate", true, func(file, length, sizeOnly, numbers, pixels uint64) []uint64 {
	return []uint64{file, length, sizeOnly, numbers, numbers + word, numbers + 2*word, pixels}
}}

var av1 = decoder{libavif, "malloc", "free", false, func(file, length, sizeOnly, numbers, pixels uint64) []uint64 {
	const firstOnly = 0
	return []uint64{file, length, sizeOnly, firstOnly, numbers, numbers + word, numbers + 2*word, numbers + 3*word, numbers + 4*word, pixels}
}}

// numbers is how many decode writes besides pixels, at most.
const numbers = 6

// change is made to the code of a library. What it replaces must be there once.
type change struct{ from, to string }

// changed returns a library's code with changes: it was compiled for browsers, where
// speed counts more, and for another use of its pixels.
func changed(code []byte, changes ...change) ([]byte, error) {
	for _, c := range changes {
		if len(c.from) != len(c.to) || bytes.Count(code, []byte(c.from)) != 1 {
			return nil, errors.New("the decoder is not the one that this program knows")
		}
		code = bytes.Replace(code, []byte(c.from), []byte(c.to), 1)
	}
	return code, nil
}

// libheif tells libde265 to leave out the two filters in a loop, deblocking and SAO;
// values are then up to 7 levels away. Here it tells it not to.
var libheif = sync.OnceValues(func() ([]byte, error) {
	return changed(heifWasm,
		change{"\x20\x00\x41\x01\x3a\x00\x94\x04", "\x20\x00\x41\x00\x3a\x00\x94\x04"},
		change{"\x20\x00\x41\x01\x3a\x00\x95\x04", "\x20\x00\x41\x00\x3a\x00\x95\x04"})
})

// libavif repeats chroma and multiplies alpha into colours. Here chromaUpsampling is
// AVIF_CHROMA_UPSAMPLING_BILINEAR, as avifdec has it, and alphaPremultiplied is false.
var libavif = sync.OnceValues(func() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(avifWasm))
	if err != nil {
		return nil, err
	}
	code, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return changed(code,
		change{"\x20\x00\x42\x00\x37\x02\x10\x20\x00", "\x20\x00\x42\x04\x37\x02\x10\x20\x00"},
		change{"\x20\x1d\x41\x01\x36\x02\x2c\x20\x1d", "\x20\x1d\x41\x00\x36\x02\x2c\x20\x1d"})
})

// translated has the machine code that was made of WebAssembly.
var translated = sync.OnceValue(wazero.NewCompilationCache)

// instance is a decoder with its memory.
type instance struct {
	*decoder
	ctx      context.Context
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	module   api.Module
	most     int64  // bytes that its memory may have
	full     bool   // it wanted more
	pixels   []byte // of the last file
}

func newInstance(d *decoder, memory int64) (*instance, error) {
	i := &instance{decoder: d, most: memory}
	i.ctx = experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
		return &bounded{newMemory(uint64(memory)), &i.full}
	}))
	r := wazero.NewRuntimeWithConfig(i.ctx, wazero.NewRuntimeConfig().WithCompilationCache(translated()))
	i.runtime = r
	wasi_snapshot_preview1.MustInstantiate(i.ctx, r)
	var compiled wazero.CompiledModule
	binary, err := d.code()
	if err == nil {
		compiled, err = r.CompileModule(i.ctx, binary)
	}
	if err == nil {
		_, err = emscripten.InstantiateForModule(i.ctx, r, compiled)
	}
	if err == nil {
		i.compiled = compiled
		err = i.begin()
	}
	if err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

// begin gives the library new memory.
func (i *instance) begin() (err error) {
	if i.module != nil {
		i.module.Close(i.ctx)
	}
	i.module, err = i.runtime.InstantiateModule(i.ctx, i.compiled, wazero.NewModuleConfig().WithName("").
		WithStartFunctions("_initialize").WithStdout(io.Discard).WithStderr(io.Discard))
	return err
}

func (i *instance) Close() { i.runtime.Close(i.ctx) }

// call calls a function of the decoder that returns a number.
func (i *instance) call(name string, arguments ...uint64) (uint32, error) {
	results, err := i.module.ExportedFunction(name).Call(i.ctx, arguments...)
	if err != nil {
		return 0, i.explain()
	}
	return uint32(results[0]), nil
}

// explain leaves the decoder's call stack out of an error, and says what had no room.
func (i *instance) explain() error {
	if i.full {
		return fmt.Errorf("it would take over %d MB of memory", i.most/1e6)
	}
	return errors.New("damaged data")
}

// bounded notes that memory was refused, which a decoder may take for damage.
type bounded struct {
	experimental.LinearMemory
	refused *bool
}

// Reallocate implements experimental.LinearMemory.
func (b *bounded) Reallocate(size uint64) []byte {
	all := b.LinearMemory.Reallocate(size)
	*b.refused = *b.refused || all == nil
	return all
}

// take returns the address of new memory for the decoder.
func (i *instance) take(n int) (uint32, error) {
	at, err := i.call(i.decoder.reserve, uint64(n))
	if err == nil && at == 0 {
		err = i.explain()
	}
	return at, err
}

// give gives memory back to the decoder.
func (i *instance) give(at uint32) { i.module.ExportedFunction(i.decoder.free).Call(i.ctx, uint64(at)) }

// Decode implements worker.Instance.
func (i *instance) Decode(file []byte, width, height int) ([]byte, error) {
	if int64(i.module.Memory().Size()) > i.most/2 {
		if err := i.begin(); err != nil { // libheif does not give all back
			return nil, err
		}
	}
	input, err := i.take(len(file))
	if err != nil {
		return nil, err
	}
	defer i.give(input)
	told, err := i.take(word * numbers)
	if err != nil {
		return nil, err
	}
	defer i.give(told)
	memory := i.module.Memory()
	if !memory.Write(input, file) {
		return nil, errors.New("the decoder has given memory that it does not have")
	}
	decode := func(sizeOnly uint64, pixels uint32) error {
		done, err := i.call("decode", i.arguments(uint64(input), uint64(len(file)), sizeOnly, uint64(told), uint64(pixels))...)
		if err == nil && done == 0 {
			err = i.explain()
		}
		return err
	}
	if err := decode(1, 0); err != nil {
		return nil, err
	}
	w, _ := memory.ReadUint32Le(told)
	h, _ := memory.ReadUint32Le(told + word)
	if int64(w) != int64(width) || int64(h) != int64(height) {
		return nil, fmt.Errorf("the decoder finds %d x %d pixels where the header says %d x %d", w, h, width, height)
	}
	depth, _ := memory.ReadUint32Le(told + 2*word)
	wide := !i.padded && depth > 8 // libavif has a third number, and gives 16 bits then
	stride := i.stride(width)
	if wide {
		stride *= 2
	}
	output, err := i.take(stride * height)
	if err != nil {
		return nil, err
	}
	defer i.give(output)
	if err := decode(0, output); err != nil {
		return nil, err
	}
	rows, ok := memory.Read(output, uint32(stride*height))
	if !ok {
		return nil, errors.New("the decoder has given memory that it does not have")
	}
	i.pixels = slices.Grow(i.pixels[:0], 4*width*height)
	for y := range height {
		row := rows[y*stride:][:stride]
		if !wide {
			i.pixels = append(i.pixels, row[:4*width]...)
			continue
		}
		for ; len(row) > 0; row = row[2:] {
			i.pixels = append(i.pixels, uint8(((uint32(row[0])|uint32(row[1])<<8)*255+32767)/65535))
		}
	}
	return i.pixels, nil
}

// stride is how far apart rows of pixels are: libheif gives them as it has them, an even
// number of 64 at least.
func (i *instance) stride(width int) int {
	const even, fewest, aligned = 2, 64, 16
	if !i.padded {
		return 4 * width
	}
	w := max((width+even-1)/even*even, fewest)
	return (4*w + aligned - 1) / aligned * aligned
}
