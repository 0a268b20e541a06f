package hdf5

// What a B-tree of version 1 indexes; the numbers are the format's.
const (
	treeOfGroup  = 0
	treeOfChunks = 1
)

// eachChild visits the children of the leaves of a B-tree of version 1, with the
// key before each. A level of -1 is any: the tree's root.
func (f *File) eachChild(at int64, kind byte, keyBytes, level int, visit func(key *block, child int64) error) error {
	prefix := 8 + 2*f.offsetSize
	head, err := f.read("B-tree node", at, int64(prefix))
	if err != nil {
		return err
	}
	head.sign("TREE")
	if got := head.u8(); got != kind {
		head.failf("type %d, want %d", got, kind)
	}
	if got := int(head.u8()); level < 0 {
		level = got
	} else if got != level {
		head.failf("level %d under level %d", got, level+1)
	}
	n := int(head.u16())
	if head.err != nil {
		return head.err
	}
	b, err := f.read("B-tree node", at+int64(prefix), int64(n*(keyBytes+f.offsetSize)))
	if err != nil {
		return err
	}
	for range n {
		key := b.sub("B-tree key", keyBytes)
		child := b.offset()
		if b.err != nil {
			return b.err
		}
		if level > 0 {
			err = f.eachChild(child, kind, keyBytes, level-1, visit)
		} else {
			err = visit(key, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
