//go:build !noheif && !js && !wasip1

// Package heif brings the decoders of HEIC and AVIF into a program: libheif with libde265,
// and libavif with dav1d, in WebAssembly. Importing it adds 5 MB, and its licences: see
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
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	_ "unsafe" // for go:linkname

	_ "github.com/gen2brain/avif" // avifWasm
	_ "github.com/gen2brain/heic" // heifWasm
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/emscripten"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"lookalike/internal/worker"
)

// The modules' own way to their decoders bounds nothing, so only the code is taken.

//go:linkname heifWasm github.com/gen2brain/heic.heifWasm
var heifWasm []byte

//go:linkname avifWasm github.com/gen2brain/avif.avifWasm
var avifWasm []byte

// Main returns at once in a program that is to read HEIC and AVIF. In a process that was
// started for decoding it does that, and does not return. It is called before all else.
func Main() {
	worker.Main(map[string]worker.Decoder{
		"HEVC": func(memory int64) (worker.Instance, error) { return newInstance(&heifWasm, 3, memory) },
		"AV1":  func(memory int64) (worker.Instance, error) { return newInstance(&avifWasm, 2, memory) },
	})
}

// translated has the machine code that was made of WebAssembly.
var translated = sync.OnceValue(wazero.NewCompilationCache)

// instance is a decoder with its memory.
type instance struct {
	ctx     context.Context
	runtime wazero.Runtime
	module  api.Module
	memory  int64
	numbers int // how many it writes about a picture: its size, and libheif whether alpha is multiplied in
}

func newInstance(code *[]byte, numbers int, memory int64) (*instance, error) {
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
		return newMemory(uint64(memory))
	}))
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(translated()))
	i := &instance{ctx: ctx, runtime: r, memory: memory, numbers: numbers}
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	compiled, err := r.CompileModule(ctx, *code)
	if err == nil {
		_, err = emscripten.InstantiateForModule(ctx, r, compiled)
	}
	if err == nil {
		i.module, err = r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().
			WithStartFunctions("_initialize").WithStdout(io.Discard).WithStderr(io.Discard))
	}
	if err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

func (i *instance) Close() { i.runtime.Close(i.ctx) }

// call calls a function of the decoder that returns a number.
func (i *instance) call(name string, arguments ...uint64) (uint32, error) {
	results, err := i.module.ExportedFunction(name).Call(i.ctx, arguments...)
	if exit := (*sys.ExitError)(nil); errors.As(err, &exit) {
		return 0, errors.New("the decoder gave up")
	} else if err != nil {
		return 0, i.explain(err)
	}
	return uint32(results[0]), nil
}

// explain leaves the decoder's call stack out of an error, and says what had no bounds.
func (i *instance) explain(err error) error {
	if int64(i.module.Memory().Size()) > i.memory*7/8 {
		return i.full()
	}
	return errors.New("damaged data")
}

func (i *instance) full() error {
	return fmt.Errorf("it would take over %d MB of memory", i.memory/1e6)
}

// reserve returns the address of new memory for the decoder.
func (i *instance) reserve(n int) (uint32, error) {
	at, err := i.call("allocate", uint64(n))
	if err == nil && at == 0 {
		err = i.full()
	}
	return at, err
}

// free gives memory back to the decoder.
func (i *instance) free(at uint32) { i.module.ExportedFunction("deallocate").Call(i.ctx, uint64(at)) }

// Decode implements worker.Instance.
func (i *instance) Decode(file []byte, width, height int) ([]byte, error) {
	input, err := i.reserve(len(file))
	if err != nil {
		return nil, err
	}
	defer i.free(input)
	const word = 4
	numbers, err := i.reserve(word * i.numbers)
	if err != nil {
		return nil, err
	}
	defer i.free(numbers)
	memory := i.module.Memory()
	if !memory.Write(input, file) {
		return nil, errors.New("the decoder has given memory that it does not have")
	}
	decode := func(sizeOnly uint64, pixels uint32) error {
		arguments := []uint64{uint64(input), uint64(len(file)), sizeOnly}
		for k := range i.numbers {
			arguments = append(arguments, uint64(numbers)+word*uint64(k))
		}
		done, err := i.call("decode", append(arguments, uint64(pixels))...)
		if err == nil && done == 0 {
			err = i.explain(nil)
		}
		return err
	}
	if err := decode(1, 0); err != nil {
		return nil, err
	}
	w, _ := memory.ReadUint32Le(numbers)
	h, _ := memory.ReadUint32Le(numbers + word)
	if int64(w) != int64(width) || int64(h) != int64(height) {
		return nil, fmt.Errorf("the decoder finds %d x %d pixels where the header says %d x %d", w, h, width, height)
	}
	stride := i.stride(width)
	output, err := i.reserve(stride * height)
	if err != nil {
		return nil, err
	}
	defer i.free(output)
	if err := decode(0, output); err != nil {
		return nil, err
	}
	rows, ok := memory.Read(output, uint32(stride*height))
	if !ok {
		return nil, errors.New("the decoder has given memory that it does not have")
	}
	pixels := make([]byte, 0, 4*width*height)
	for y := range height {
		pixels = append(pixels, rows[y*stride:][:4*width]...)
	}
	return pixels, nil
}

// stride is how far apart rows of pixels are: libheif gives them as it has them, an even
// number of 64 at least.
func (i *instance) stride(width int) int {
	const even, fewest, aligned = 2, 64, 16
	if i.numbers == 2 {
		return 4 * width
	}
	w := max((width+even-1)/even*even, fewest)
	return (4*w + aligned - 1) / aligned * aligned
}
