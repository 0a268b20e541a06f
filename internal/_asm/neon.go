package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"math"
	"strings"
)

const (
	lanes = 4 // values in a register
	quad  = lane * lanes
)

// generals may be used freely: the others have meanings for Go or the system.
var generals = []general{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25}

// temporary serves an instruction or two.
const temporary general = 26

func (r general) String() string { return fmt.Sprintf("R%d", int(r)) }
func (r vec) String() string     { return fmt.Sprintf("F%d", int(r)) }
func (m mem) String() string {
	if m.disp == 0 {
		return fmt.Sprintf("(%s)", m.base)
	}
	return fmt.Sprintf("%d(%s)", m.disp, m.base)
}

// neon writes functions and their declarations.
type neon struct {
	code, stubs strings.Builder
	used        int            // general registers of the function
	params      map[string]int // offsets of its parameters
	resultSize  int
	made        []made
	held        map[float64]vec // constants that a kernel of winograd keeps in registers
}

// begin starts a function of the given type. A result is called ret.
func (a *neon) begin(name, doc, signature string) {
	a.made = append(a.made, made{name, signature})
	a.used, a.params = 0, map[string]int{}
	offset := 0
	var list []string
	result := ""
	for _, p := range fields(signature) {
		name, kind, _ := strings.Cut(p, " ")
		size := 8
		if kind == "float32" || kind == "uint32" {
			size = 4
		}
		if name == "ret" {
			result, a.resultSize = " "+kind, size
			offset = (offset + 7) &^ 7
		} else {
			list = append(list, p)
		}
		offset = (offset + size - 1) &^ (size - 1)
		a.params[name] = offset
		offset += size
	}
	fmt.Fprintf(&a.stubs, "\n// %sNEON %s\n//\n//go:noescape\nfunc %sNEON(%s)%s\n", name, doc, name, strings.Join(list, ", "), result)
	fmt.Fprintf(&a.code, "\n// %sNEON %s\nTEXT ·%sNEON(SB), NOSPLIT, $0-%d\n", name, doc, name, offset)
}

// fields returns the parameters of a function's type, each with its own, and the result
// by the name ret.
func fields(signature string) (list []string) {
	x, err := parser.ParseExpr(signature)
	if err != nil {
		panic(err)
	}
	f := x.(*ast.FuncType)
	for _, p := range f.Params.List {
		for _, name := range p.Names {
			list = append(list, name.Name+" "+types.ExprString(p.Type))
		}
	}
	if f.Results != nil {
		list = append(list, "ret "+types.ExprString(f.Results.List[0].Type))
	}
	return list
}

// op writes an instruction that Go's assembler knows.
func (a *neon) op(name string, operands ...any) {
	texts := make([]string, len(operands))
	for i, o := range operands {
		if texts[i] = fmt.Sprint(o); fmt.Sprintf("%T", o) == "int" {
			texts[i] = "$" + texts[i]
		}
	}
	a.line("\t%-6s %s", name, strings.Join(texts, ", "))
}

func (a *neon) line(format string, args ...any) {
	a.code.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (a *neon) label(name string) { a.line("%s:", name) }

func (a *neon) register() general {
	a.used++
	return generals[a.used-1]
}

func (a *neon) at(param string) string { return fmt.Sprintf("%s+%d(FP)", param, a.params[param]) }

// param loads a parameter of 64 bits into a new register, stride one that counts
// values, as bytes.
func (a *neon) param(name string) general {
	r := a.register()
	a.op("MOVD", a.at(name), r)
	return r
}

func (a *neon) stride(name string) general {
	r := a.param(name)
	a.op("LSL", 2, r)
	return r
}

// first loads a float32 parameter into the lowest lane of r.
func (a *neon) first(name string, r vec) { a.op("FMOVS", a.at(name), r) }

func (a *neon) load(m mem, r vec)     { a.op("FMOVQ", a.plain(m), r) }
func (a *neon) store(r vec, m mem)    { a.op("FMOVQ", r, a.plain(m)) }
func (a *neon) loadOne(m mem, r vec)  { a.op("FMOVS", m, r) } // and zeros to the other lanes
func (a *neon) storeOne(r vec, m mem) { a.op("FMOVS", r, m) }

func (a *neon) zero(r vec) { a.three("eor.16b", r, r, r) }

// float fills r with a value, bits with one of the given bits.
func (a *neon) float(v float64, r vec) { a.bits(math.Float32bits(float32(v)), r) }

func (a *neon) bits(bits uint32, r vec) {
	a.op("MOVW", fmt.Sprintf("$0x%08x", bits), temporary)
	a.line("\t%-6s %s, V%d.S4", "VDUP", temporary, int(r))
}

// broadcast fills r with a float32 parameter.
func (a *neon) broadcast(name string, r vec) {
	a.first(name, r)
	a.spreadLowest(r)
}

func (a *neon) spreadLowest(r vec) { a.line("\t%-6s V%d.S[0], V%d.S4", "VDUP", int(r), int(r)) }

func (a *neon) move(from, to vec) { a.three("orr.16b", to, from, from) }

// The words are those of Arm's manual (DDI 0487, C4.1.96, Advanced SIMD), with
// zeros where the registers go: the destination to bits 0 to 4, the first source to
// bits 5 to 9, the second to bits 16 to 20. Operands are in Arm's order,
// destination first.

var threeRegisters = map[string]uint32{
	"fadd.4s": 0x4e20d400, "fsub.4s": 0x4ea0d400, "fmul.4s": 0x6e20dc00, "fdiv.4s": 0x6e20fc00,
	"fmla.4s": 0x4e20cc00, "fmls.4s": 0x4ea0cc00, "fmax.4s": 0x4e20f400, "fmin.4s": 0x4ea0f400,
	"faddp.4s": 0x6e20d400, "fcmeq.4s": 0x4e20e400, "fcmgt.4s": 0x6ea0e400, "fcmge.4s": 0x6e20e400,
	"fadd.2d": 0x4e60d400, "fsub.2d": 0x4ee0d400, "fmul.2d": 0x6e60dc00, "fmla.2d": 0x4e60cc00, "faddp.2d": 0x6e60d400,
	"add.4s": 0x4ea08400, "sub.4s": 0x6ea08400, "cmeq.4s": 0x6ea08c00,
	"and.16b": 0x4e201c00, "bic.16b": 0x4e601c00, "orr.16b": 0x4ea01c00, "eor.16b": 0x6e201c00, "bit.16b": 0x6ea01c00,
	"smull.8h.8b": 0x0e20c000, "smull2.8h.16b": 0x4e20c000, "smlal.8h.8b": 0x0e208000, "smlal2.8h.16b": 0x4e208000, "addp.4s": 0x4ea0bc00,
	"trn1.4s": 0x4e802800, "trn2.4s": 0x4e806800, "trn1.2d": 0x4ec02800, "trn2.2d": 0x4ec06800,
}

// The name ends with the source's type where that is another, or with 0 for a
// comparison with it.
var twoRegisters = map[string]uint32{
	"fabs.4s": 0x4ea0f800, "fsqrt.4s": 0x6ea1f800, "fcvtns.4s": 0x4e21a800, "scvtf.4s": 0x4e21d800,
	"fcmlt.4s.0":  0x4ea0e800,
	"fcvtl.2d.2s": 0x0e617800, "fcvtl2.2d.4s": 0x4e617800, "fcvtn.2s.2d": 0x0e616800, "fcvtn2.4s.2d": 0x4e616800,
	"sadalp.4s.8h": 0x4e606800, "xtn.4h.4s": 0x0e612800, "xtn.8b.8h": 0x0e212800, "uxtl.8h.8b": 0x2f08a400, "uxtl.4s.4h": 0x2f10a400,
}

func (a *neon) word(word uint32, name, rest string, registers ...vec) {
	parts := strings.Split(name, ".") // mnemonic, type of the registers, that of the source
	var texts []string
	for i, r := range registers {
		kind := parts[1]
		if i > 0 && len(parts) > 2 && parts[2] != "0" {
			kind = parts[2]
		}
		texts = append(texts, fmt.Sprintf("v%d.%s", int(r), kind))
	}
	if parts[len(parts)-1] == "0" {
		rest = ", #0.0"
	}
	a.line("\t%-6s $0x%08x // %s %s%s", "WORD", word, parts[0], strings.Join(texts, ", "), rest)
}

func lookUp(words map[string]uint32, name string) uint32 {
	w, ok := words[name]
	if !ok {
		panic("no instruction " + name)
	}
	return w
}

// three writes d = n op m.
func (a *neon) three(name string, d, n, m vec) {
	a.word(lookUp(threeRegisters, name)|uint32(m)<<16|uint32(n)<<5|uint32(d), name, "", d, n, m)
}

// two writes d = op n.
func (a *neon) two(name string, d, n vec) {
	a.word(lookUp(twoRegisters, name)|uint32(n)<<5|uint32(d), name, "", d, n)
}

// fmlaLane writes d += n * m's lowest value. (Another lane's number would go to bits
// 21, the low one, and 11.)
func (a *neon) fmlaLane(d, n, m vec) {
	a.word(0x4f801000|uint32(m)<<16|uint32(n)<<5|uint32(d), "fmla.4s", fmt.Sprintf(", v%d.s[0]", int(m)), d, n)
}

// shiftLeft and shiftRight, which keeps the sign, write d = n shifted. The distance
// goes to bits 16 to 22: 32 is added to a shift to the left, 64 is what a shift to
// the right is subtracted from.
func (a *neon) shiftLeft(d, n vec, by int) {
	a.word(0x4f005400|uint32(32+by)<<16|uint32(n)<<5|uint32(d), "shl.4s", fmt.Sprintf(", #%d", by), d, n)
}

func (a *neon) shiftRight(d, n vec, by int) {
	a.word(0x4f000400|uint32(64-by)<<16|uint32(n)<<5|uint32(d), "sshr.4s", fmt.Sprintf(", #%d", by), d, n)
}

// loop takes the values that are left one by one, in the lowest lane.
func (a *neon) loop(n general, pointers []general, body func(load func(mem, vec), store func(vec, mem))) {
	advance := func(bytes int) {
		for _, p := range pointers {
			a.op("ADD", bytes, p)
		}
	}
	a.op("SUBS", lanes, n)
	a.line("\tBLT    rest")
	a.label("loop")
	body(a.load, a.store)
	advance(quad)
	a.op("SUBS", lanes, n)
	a.line("\tBGE    loop")
	a.label("rest")
	a.op("ADDS", lanes, n)
	a.line("\tBEQ    end")
	a.label("one")
	body(a.loadOne, a.storeOne)
	advance(lane)
	a.op("SUBS", 1, n)
	a.line("\tBNE    one")
	a.label("end")
}
