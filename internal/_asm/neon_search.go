package main

// codeDots emits the products of a vector of codes with those of 16 others, which lie
// interleaved in groups of four.
func (a *neon) codeDots() {
	a.begin("codeDots", "is codeDotsGeneric: the products of codes of 16 rows with a query's.", "func(groups int, codes *uint8, query *int8, dots *int32)")
	n, codes, query, dots := a.param("groups"), a.param("codes"), a.param("query"), a.param("dots")
	const (
		registers = 4 // of codes in a group, each of four rows
		products  = vec(16)
		x         = vec(24)
		q         = vec(25)
		sign      = vec(26)
	)
	a.bits(0x80808080, sign)
	for i := range vec(2 * registers) { // two sums of each row
		a.zero(i)
	}
	group := func(i int, low, high string) {
		a.line("\t%-6s (%s), [V%d.S4]", "VLD1R", query, int(q))
		a.op("ADD", 4, query)
		for r := range registers {
			a.load(mem{base: codes, disp: (i*registers + r) * quad}, x)
			a.three("eor.16b", x, x, sign) // less 128
			a.three(low, products+vec(2*r), x, q)
			a.three(high, products+vec(2*r)+1, x, q)
		}
	}
	add := func(groups int) {
		for i := range vec(2 * registers) {
			a.two("sadalp.4s.8h", i, products+i)
		}
		a.op("ADD", groups*registers*quad, codes)
	}
	a.op("SUBS", 2, n)
	a.line("\tBLT    one")
	a.label("two") // two products of at most 127*127 fit in 16 bits
	group(0, "smull.8h.8b", "smull2.8h.16b")
	group(1, "smlal.8h.8b", "smlal2.8h.16b")
	add(2)
	a.op("SUBS", 2, n)
	a.line("\tBGE    two")
	a.label("one")
	a.op("ADDS", 2, n)
	a.line("\tBEQ    end")
	group(0, "smull.8h.8b", "smull2.8h.16b")
	add(1)
	a.label("end")
	for r := range registers {
		a.three("addp.4s", vec(2*r), vec(2*r), vec(2*r)+1)
		a.store(vec(2*r), mem{base: dots, disp: r * quad})
	}
	a.op("RET")
}
