package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// file is an assembly file of amd64 that is being written.
type file struct {
	*build.Context
	constants map[uint32]Mem // filled with one value of these bits
	vectors   map[uint32]Mem // filled with 16
	wordTurns Mem            // takes word 2j from word j, word 2j+1 from word 16+j
}

// assemble returns the assembly that emit emits, and its declarations.
func assemble(pkg string, emit func()) (assembly, stubs []byte, err error) {
	f := &file{Context: build.NewContext(), constants: map[uint32]Mem{}, vectors: map[uint32]Mem{}}
	f.ConstraintExpr("!purego")
	avx512.file, avx2.file = f, f
	emit()
	text, err := f.Result()
	if err != nil {
		return nil, nil, err
	}
	if err := pass.Compile.Execute(text); err != nil {
		return nil, nil, err
	}
	cfg := printer.Config{Name: "internal/_asm", Pkg: pkg}
	if assembly, err = printer.NewGoAsm(cfg).Print(text); err != nil {
		return nil, nil, err
	}
	if stubs, err = printer.NewStubs(cfg).Print(text); err != nil {
		return nil, nil, err
	}
	return withGenerated(assembly), withGenerated(stubs), nil
}

func avxF32() {
	for _, s := range []*avx{avx512, avx2} {
		isa := &avxISA{avx: s}
		elementwise(isa)
		s.panel = panelVectors(isa) * s.lanes
		s.axpyRows(4)
		s.axpyRows(8)
		s.wrapped = s.made
		s.searches()
	}
}

func avxCode8() {
	for _, s := range []*avx{avx512, avx2} {
		s.codeBounds()
		s.codes()
	}
}

func avxTile() {
	for _, s := range []*avx{avx512, avx2} {
		s.streams()
		s.tiles()
	}
	avx2.transpose8()
	avx512.parts()
}

func avxWinograd() {
	for _, s := range []*avx{avx512, avx2} {
		for _, t := range []transform{f2, f4} {
			s.kernel(t)
			s.input(t)
			s.output(t, false)
			s.output(t, true)
		}
		s.gradient(f4)
	}
}

// TEXT begins a function, GLOBL a constant, to which DATA adds.
func (f *file) TEXT(name string, a attr.Attribute, signature string) {
	f.Function(name)
	f.Attributes(a)
	f.SignatureExpr(signature)
}

func (f *file) GLOBL(name string, a attr.Attribute) Mem {
	m := f.StaticGlobal(name)
	f.DataAttributes(a)
	return m
}

func (f *file) DATA(offset int, v Constant) { f.AddDatum(offset, v) }

// avx is a set of vector registers.
type avx struct {
	*file
	set
	regs []reg.VecPhysical

	made []made
	held map[float64]reg.VecPhysical // constants that a kernel of winograd keeps in registers

	n      reg.GPVirtual // AVX2's tail, the buffer it goes through, and how often it did
	buffer Mem
	copies int
}

var (
	avx512 = &avx{set: avx512Set, regs: []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}}
	avx2 = &avx{set: avx2Set, regs: []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}}
)

func (s *avx) bytes() int { return s.lanes * lane }

// tail prepares loadTail and storeTail for the first n values of a register, 1 <=
// n < lanes on AVX2, and up to lanes on AVX-512.
//
// AVX-512 has masks. AVX's masked moves are not used: whether they fault on lanes
// that are masked out is left to the implementation by AMD, and QEMU's do. There,
// values go one by one through a buffer on the stack.
func (s *avx) tail(n reg.GPVirtual) {
	if s == avx512 {
		t := s.GP64()
		s.MOVQ(I32(-1), t)
		s.BZHIQ(n, t, t)
		s.KMOVW(t.As32(), reg.K1)
		return
	}
	s.n, s.buffer = n, s.AllocLocal(s.bytes())
}

// loadTail fills the lanes past the tail with zeros.
func (s *avx) loadTail(m Mem, r reg.VecPhysical) {
	if s == avx512 {
		s.VMOVUPS_Z(m, reg.K1, r)
		return
	}
	s.zero(r)
	s.VMOVUPS(r, s.buffer)
	s.copyTail(m, s.buffer)
	s.VMOVUPS(s.buffer, r)
}

func (s *avx) storeTail(r reg.VecPhysical, m Mem) {
	if s == avx512 {
		s.VMOVUPS(r, reg.K1, m)
		return
	}
	s.VMOVUPS(r, s.buffer)
	s.copyTail(s.buffer, m)
}

// copyTail copies n values, the last one first.
func (s *avx) copyTail(from, to Mem) {
	s.copies++
	next := fmt.Sprintf("copy%d", s.copies)
	src, dst, i, v := s.GP64(), s.GP64(), s.GP64(), s.GP32()
	s.LEAQ(from, src)
	s.LEAQ(to, dst)
	s.MOVQ(s.n, i)
	s.Label(next)
	s.MOVL(Mem{Base: src, Index: i, Scale: lane, Disp: -lane}, v)
	s.MOVL(v, Mem{Base: dst, Index: i, Scale: lane, Disp: -lane})
	s.DECQ(i)
	s.JNZ(LabelRef(next))
}

func (s *avx) load(m Mem, r reg.VecPhysical)  { s.VMOVUPS(m, r) }
func (s *avx) store(r reg.VecPhysical, m Mem) { s.VMOVUPS(r, m) }

// zero clears r.
func (s *avx) zero(r reg.VecPhysical) {
	if s == avx512 {
		s.VPXORD(r, r, r)
	} else {
		s.VXORPS(r, r, r)
	}
}

// float fills r with a constant.
func (s *avx) float(v float64, r reg.VecPhysical) { s.bits(math.Float32bits(float32(v)), r) }

// bits fills r with a constant of the given bits.
func (s *avx) bits(bits uint32, r reg.VecPhysical) {
	m, ok := s.constants[bits]
	if !ok {
		m = s.GLOBL(fmt.Sprintf("bits%08x", bits), attr.RODATA|attr.NOPTR)
		s.DATA(0, U32(bits))
		s.constants[bits] = m
	}
	s.VBROADCASTSS(m, r)
}

// Predicates of VCMPPS; none raises an exception.
const (
	ordered         = 0x07 // neither is NaN
	less            = 0x11
	notLessOrNaN    = 0x15
	atMost          = 0x12
	greater         = 0x1e
	notGreaterOrNaN = 0x1a
)

// mask returns the i-th register for the outcome of a comparison, i < 4: a mask
// register, or on AVX2 one of the last vector registers.
func (s *avx) mask(i int) reg.Register {
	if s == avx512 {
		return []reg.Register{reg.K2, reg.K3, reg.K4, reg.K5}[i]
	}
	return s.regs[len(s.regs)-1-i]
}

// merge overwrites r with x in the lanes of the mask.
func (s *avx) merge(x reg.VecPhysical, mask reg.Register, r reg.VecPhysical) {
	if s == avx512 {
		s.VMOVAPS(x, mask, r)
	} else {
		s.VBLENDVPS(mask, x, r, r)
	}
}

// begin starts a kernel.
func (s *avx) begin(name, doc, signature string) {
	s.made = append(s.made, made{name, signature})
	s.TEXT(name+s.name, attr.NOSPLIT, signature)
	s.Doc(name + s.name + doc)
	s.Pragma("noescape")
}

func (s *avx) param(name string) reg.GPVirtual {
	return s.Load(s.Param(name), s.GP64()).(reg.GPVirtual)
}

func (s *avx) broadcast(name string, r reg.VecPhysical) { s.VBROADCASTSS(s.address(name), r) }

// address returns where a parameter is.
func (s *avx) address(name string) Op {
	p, err := s.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// clearBits writes x without the given bits to r.
func (s *avx) clearBits(bits, x, r reg.VecPhysical) {
	if s == avx512 {
		s.VPANDND(x, bits, r)
	} else {
		s.VANDNPS(x, bits, r)
	}
}

// sum adds up the lanes of r and returns the sum in its lowest lane.
func (s *avx) sum(r, scratch reg.VecPhysical) {
	s.fold(s.VADDPS, r, scratch)
	s.VMOVHLPS(r.AsX(), r.AsX(), scratch.AsX())
	s.VADDPS(scratch.AsX(), r.AsX(), r.AsX())
	s.VMOVSHDUP(r.AsX(), scratch.AsX())
	s.VADDSS(scratch.AsX(), r.AsX(), r.AsX())
}

// fold puts each four lanes of r together in its lowest four.
func (s *avx) fold(put func(...Op), r, scratch reg.VecPhysical) {
	if s == avx512 {
		s.VEXTRACTF64X4(U8(1), r, scratch.AsY())
		put(scratch.AsY(), r.AsY(), r.AsY())
	}
	s.VEXTRACTF128(U8(1), r.AsY(), scratch.AsX())
	put(scratch.AsX(), r.AsX(), r.AsX())
}

// loop emits body for every whole register of n values, then once for the rest.
// Pointers advance after each; body gets the load and the store to use.
func (s *avx) loop(n reg.GPVirtual, pointers []reg.GPVirtual, body func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem))) {
	s.Label("loop")
	s.CMPQ(n, U8(s.lanes))
	s.JL(LabelRef("rest"))
	body(s.load, s.store)
	for _, p := range pointers {
		s.ADDQ(U8(s.bytes()), p)
	}
	s.SUBQ(U8(s.lanes), n)
	s.JMP(LabelRef("loop"))
	s.Label("rest")
	s.TESTQ(n, n)
	s.JZ(LabelRef("end"))
	s.tail(n)
	body(s.loadTail, s.storeTail)
	s.Label("end")
}
