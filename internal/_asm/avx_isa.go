package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// avxISA is an avx as an isa. Its general registers are allocated when a function is complete.
type avxISA struct {
	*avx
	general []reg.GPVirtual // of the function
}

func (s *avxISA) registers() int { return len(s.regs) }
func (s *avxISA) width() int     { return s.lanes }

func (s *avxISA) begin(name, doc, signature string) {
	s.general = nil
	s.avx.begin(name, " "+doc, signature)
}

func (s *avxISA) end() {
	s.VZEROUPPER()
	s.RET()
}

func (s *avxISA) result(r vec) {
	s.Store(s.regs[r].AsX(), s.ReturnIndex(0))
	s.end()
}

func (s *avxISA) register(r reg.GPVirtual) general {
	s.general = append(s.general, r)
	return general(len(s.general) - 1)
}

func (s *avxISA) arg(name string) general             { return s.register(s.param(name)) }
func (s *avxISA) broadcast(param string, r vec)       { s.avx.broadcast(param, s.regs[r]) }
func (s *avxISA) broadcastDouble(param string, r vec) { s.VBROADCASTSD(s.address(param), s.regs[r]) }
func (s *avxISA) float(v float64, r vec)              { s.avx.float(v, s.regs[r]) }
func (s *avxISA) bits(b uint32, r vec)                { s.avx.bits(b, s.regs[r]) }

func (s *avxISA) while(label string, n general, step int, body func()) {
	s.Label(label)
	s.CMPQ(s.general[n], U8(step))
	s.JL(LabelRef(label + "Done"))
	body()
	s.SUBQ(U8(step), s.general[n])
	s.JMP(LabelRef(label))
	s.Label(label + "Done")
}

func (s *avxISA) repeat(label string, n general, body func()) {
	s.Label(label)
	body()
	s.DECQ(s.general[n])
	s.JNZ(LabelRef(label))
}

func (s *avxISA) loop(n general, pointers []general, body func(load func(mem, vec), store func(vec, mem))) {
	var p []reg.GPVirtual
	for _, r := range pointers {
		p = append(p, s.general[r])
	}
	s.avx.loop(s.general[n], p, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		body(func(m mem, r vec) { load(s.mem(m), s.regs[r]) }, func(r vec, m mem) { store(s.regs[r], s.mem(m)) })
	})
}

func (s *avxISA) overlapped(n general, body func(i general)) {
	i, last := s.GP64(), s.GP64()
	s.LEAQ(Mem{Base: s.general[n], Disp: -s.lanes}, last)
	s.XORQ(i, i)
	s.Label("vector")
	body(s.register(i))
	s.ADDQ(U8(s.lanes), i)
	s.CMPQ(i, last)
	s.JLE(LabelRef("vector"))
	s.CMPQ(i, s.general[n])
	s.JE(LabelRef("done"))
	s.MOVQ(last, i)
	s.JMP(LabelRef("vector"))
	s.Label("done")
}

func (s *avxISA) mem(m mem) Mem {
	x := Mem{Base: s.general[m.base], Disp: m.disp}
	if m.indexed {
		x.Index, x.Scale = s.general[m.index], uint8(m.size)
	}
	return x
}

func (s *avxISA) advance(p general, bytes int) { s.ADDQ(I32(bytes), s.general[p]) }

func (s *avxISA) advanceBy(p, n general, size int) {
	s.LEAQ(s.mem(item(p, n, size)), s.general[p])
}

func (s *avxISA) behind(p, n general, size int) general {
	r := s.GP64()
	s.LEAQ(s.mem(item(p, n, size)), r)
	return s.register(r)
}

func (s *avxISA) load(m mem, r vec)      { s.VMOVUPS(s.mem(m), s.regs[r]) }
func (s *avxISA) store(r vec, m mem)     { s.VMOVUPS(s.regs[r], s.mem(m)) }
func (s *avxISA) loadBytes(m mem, r vec) { s.VPMOVZXBD(s.mem(m), s.regs[r]) }

func (s *avxISA) spread(m mem, r vec) { s.VBROADCASTSS(s.mem(m), s.regs[r]) }

func (s *avxISA) loadTwo(m mem, r vec) {
	s.load(m, r)
	m.disp += s.bytes()
	s.load(m, r+1)
}

func (s *avxISA) storeBytes(r vec, m mem, t vec) {
	if s.avx == avx512 {
		s.VPMOVDB(s.regs[r], s.mem(m))
		return
	}
	x, t1 := s.regs[r].AsX(), s.regs[t].AsX()
	s.VEXTRACTI128(U8(1), s.regs[r], t1)
	s.VPACKUSDW(t1, x, x)
	s.VPACKUSWB(x, x, x)
	s.VMOVQ(x, s.mem(m))
}

// three emits an instruction of three registers, d = x op y.
func (s *avxISA) three(op func(...Op), d, x, y vec) { op(s.regs[y], s.regs[x], s.regs[d]) }

func (s *avxISA) zero(r vec)              { s.avx.zero(s.regs[r]) }
func (s *avxISA) move(from, to vec)       { s.VMOVAPS(s.regs[from], s.regs[to]) }
func (s *avxISA) add(d, x, y vec)         { s.three(s.VADDPS, d, x, y) }
func (s *avxISA) sub(d, x, y vec)         { s.three(s.VSUBPS, d, x, y) }
func (s *avxISA) mul(d, x, y vec)         { s.three(s.VMULPS, d, x, y) }
func (s *avxISA) div(d, x, y vec)         { s.three(s.VDIVPS, d, x, y) }
func (s *avxISA) sqrt(d, x vec)           { s.VSQRTPS(s.regs[x], s.regs[d]) }
func (s *avxISA) abs(d, x, signs vec)     { s.clearBits(s.regs[signs], s.regs[x], s.regs[d]) }
func (s *avxISA) addTo(sum, x, y vec)     { s.three(s.VFMADD231PS, sum, x, y) }
func (s *avxISA) subFrom(sum, x, y vec)   { s.three(s.VFNMADD231PS, sum, x, y) }
func (s *avxISA) sum(r, t vec)            { s.avx.sum(s.regs[r], s.regs[t]) }
func (s *avxISA) addDoubles(d, x, y vec)  { s.three(s.VADDPD, d, x, y) }
func (s *avxISA) subDoubles(d, x, y vec)  { s.three(s.VSUBPD, d, x, y) }
func (s *avxISA) mulDoubles(d, x, y vec)  { s.three(s.VMULPD, d, x, y) }
func (s *avxISA) addIntegers(d, x, y vec) { s.three(s.VPADDD, d, x, y) }
func (s *avxISA) subIntegers(d, x, y vec) { s.three(s.VPSUBD, d, x, y) }
func (s *avxISA) round(d, x vec)          { s.VCVTPS2DQ(s.regs[x], s.regs[d]) }
func (s *avxISA) fromInteger(d, x vec)    { s.VCVTDQ2PS(s.regs[x], s.regs[d]) }

func (s *avxISA) addToDoubles(sum, x, y vec)  { s.three(s.VFMADD231PD, sum, x, y) }
func (s *avxISA) shiftLeft(d, x vec, by int)  { s.VPSLLD(U8(by), s.regs[x], s.regs[d]) }
func (s *avxISA) shiftRight(d, x vec, by int) { s.VPSRAD(U8(by), s.regs[x], s.regs[d]) }

func (s *avxISA) timesPlus(p, x, c, t vec) (vec, vec) {
	s.three(s.VFMADD213PS, p, x, c)
	return p, t
}

// MAXPS and MINPS return their second operand, here x, for zeros and where one is NaN.
func (s *avxISA) clampBelow(d, x, limit vec) { s.three(s.VMAXPS, d, limit, x) }
func (s *avxISA) clampAbove(d, x, limit vec) { s.three(s.VMINPS, d, limit, x) }
func (s *avxISA) dropNegative(x, zero vec)   { s.three(s.VMAXPS, x, zero, x) }
func (s *avxISA) maxNaN(x, y, t vec)         { s.avx.maxNaN(s.regs[x], s.regs[y], s.regs[t]) }

func (s *avxISA) sumDoubles(r, t vec) {
	x := s.regs[r]
	if s.avx == avx512 {
		s.VEXTRACTF64X4(U8(1), x, s.regs[t].AsY())
		s.VADDPD(s.regs[t].AsY(), x.AsY(), x.AsY())
	}
	s.VEXTRACTF128(U8(1), x.AsY(), s.regs[t].AsX())
	s.VADDPD(s.regs[t].AsX(), x.AsX(), x.AsX())
	s.VHADDPD(x.AsX(), x.AsX(), x.AsX())
}

func (s *avxISA) widen(x, to vec) {
	r, low, high := s.regs[x], s.regs[to], s.regs[to+1]
	if s.avx == avx512 {
		s.VCVTPS2PD(r.AsY(), low)
		s.VEXTRACTF64X4(U8(1), r, high.AsY())
		s.VCVTPS2PD(high.AsY(), high)
	} else {
		s.VCVTPS2PD(r.AsX(), low)
		s.VEXTRACTF128(U8(1), r, high.AsX())
		s.VCVTPS2PD(high.AsX(), high)
	}
}

func (s *avxISA) narrow(from, to vec) {
	low, high, r := s.regs[from], s.regs[from+1], s.regs[to]
	if s.avx == avx512 {
		s.VCVTPD2PS(low, r.AsY())
		s.VCVTPD2PS(high, high.AsY())
		s.VINSERTF64X4(U8(1), high.AsY(), r, r)
	} else {
		s.VCVTPD2PSY(low, r.AsX())
		s.VCVTPD2PSY(high, high.AsX())
		s.VINSERTF128(U8(1), high.AsX(), r, r)
	}
}

// mask returns a mask register, or on AVX2 one of the last vector registers.
func (s *avxISA) mask(m mask) reg.Register { return s.avx.mask(int(m)) }

func (s *avxISA) compare(predicate int, m mask, x, y vec) {
	s.VCMPPS(U8(predicate), s.regs[y], s.regs[x], s.mask(m))
}

func (s *avxISA) less(m mask, x, y vec)          { s.compare(less, m, x, y) }
func (s *avxISA) atMost(m mask, x, y vec)        { s.compare(atMost, m, x, y) }
func (s *avxISA) greater(m mask, x, y vec)       { s.compare(greater, m, x, y) }
func (s *avxISA) equalIntegers(m mask, x, y vec) { s.VPCMPEQD(s.regs[y], s.regs[x], s.mask(m)) }
func (s *avxISA) put(x, r vec, m mask)           { s.merge(s.regs[x], s.mask(m), s.regs[r]) }

func (s *avxISA) neitherGreaterNorNaN(m mask, x, y, t vec) {
	if s.avx == avx512 {
		s.compare(ordered, m, x, x)
		s.VCMPPS(U8(notGreaterOrNaN), s.regs[y], s.regs[x], s.mask(m), s.mask(m))
	} else {
		s.VCMPPS(U8(ordered), s.regs[x], s.regs[x], s.regs[t])
		s.compare(notGreaterOrNaN, m, x, y)
		s.VANDPS(s.regs[t], s.mask(m), s.mask(m))
	}
}

func (s *avxISA) clear(r vec, m mask) {
	if s.avx == avx512 {
		s.VPXORD(s.regs[r], s.regs[r], s.mask(m), s.regs[r])
	} else {
		s.VANDNPS(s.regs[r], s.mask(m), s.regs[r])
	}
}

func (s *avxISA) only(d, x vec, m mask) {
	if s.avx == avx512 {
		s.VMOVAPS_Z(s.regs[x], s.mask(m), s.regs[d])
	} else {
		s.VANDPS(s.regs[x], s.mask(m), s.regs[d])
	}
}
