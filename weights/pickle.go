package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A pickle is a program for a stack machine that may call any Python function.
// This machine knows the operations with which torch.save writes a dictionary
// of tensors, and a list of six functions, of which none does more than put its
// arguments together. Whatever else a pickle asks for is an error.

// Values on the stack are nil, bool, int64, float64, string, tuple, *list,
// *dict, global, storage and *torchTensor.
type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ items []item } // in order; one key may come again
	item   struct{ key, value any }
	global string // "module name"
)

// storage is what a persistent id refers to: the values of one or more tensors.
type storage struct {
	dtype dtype
	key   string // its entry in the archive is data/key
	count int64
}

// torchTensor is a view of a storage.
type torchTensor struct {
	storage        storage
	offset         int64
	shape, strides []int64
}

// torchStorages are the classes of storages by what they hold.
var torchStorages = map[global]string{
	"torch FloatStorage": "F32", "torch DoubleStorage": "F64",
	"torch HalfStorage": "F16", "torch BFloat16Storage": "BF16",
	"torch CharStorage": "I8", "torch ByteStorage": "U8", "torch ShortStorage": "I16",
	"torch IntStorage": "I32", "torch LongStorage": "I64", "torch BoolStorage": "BOOL",
}

const (
	orderedDict      global = "collections OrderedDict"
	rebuildTensor    global = "torch._utils _rebuild_tensor_v2"
	rebuildParameter global = "torch._utils _rebuild_parameter"
)

const (
	maxPickle     = 64 << 20
	maxOperations = 1 << 20 // of some dozens for each tensor
)

// unpickler is the machine.
type unpickler struct {
	code  []byte
	place int
	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
}

// unpickle runs a pickle and returns what is on top of the stack at its end.
func unpickle(code []byte) (any, error) {
	m := &unpickler{code: code, memo: map[uint32]any{}}
	for range maxOperations {
		place := m.place
		b, err := m.take(1)
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", place, err)
		}
		if b[0] == '.' {
			v, err := m.pop()
			return v, err
		}
		if err := m.step(b[0]); err != nil {
			return nil, fmt.Errorf("byte %d: operation %#02x %q: %w", place, b[0], b[0], err)
		}
	}
	return nil, fmt.Errorf("more than %d operations", maxOperations)
}

// step carries out one operation. Names are those of Python's pickletools.
func (m *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		b, err := m.take(1)
		if err == nil && (b[0] < 2 || b[0] > 5) {
			err = fmt.Errorf("protocol %d; 2 to 5 can be read, and torch.save writes 2", b[0])
		}
		return err
	case 0x95: // FRAME: so many bytes belong together, which is for readers of streams
		_, err := m.take(8)
		return err
	case '}': // EMPTY_DICT
		return m.push(&dict{})
	case ']': // EMPTY_LIST
		return m.push(&list{})
	case ')': // EMPTY_TUPLE
		return m.push(tuple{})
	case 'N': // NONE
		return m.push(nil)
	case 0x88: // NEWTRUE
		return m.push(true)
	case 0x89: // NEWFALSE
		return m.push(false)
	case 'K': // BININT1
		return m.integer(1)
	case 'M': // BININT2
		return m.integer(2)
	case 'J': // BININT
		return m.integer(4)
	case 0x8a: // LONG1
		return m.long()
	case 'G': // BINFLOAT
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 'X': // BINUNICODE
		return m.text(4)
	case 0x8c: // SHORT_BINUNICODE
		return m.text(1)
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return nil
	case 't': // TUPLE
		items, err := m.sinceMark()
		if err != nil {
			return err
		}
		return m.push(tuple(items))
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := m.popN(int(op) - 0x84)
		if err != nil {
			return err
		}
		return m.push(tuple(items))
	case 'a': // APPEND
		items, err := m.popN(1)
		if err != nil {
			return err
		}
		return m.extend(items)
	case 'e': // APPENDS
		items, err := m.sinceMark()
		if err != nil {
			return err
		}
		return m.extend(items)
	case 's': // SETITEM
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		return m.setItems(items)
	case 'u': // SETITEMS
		items, err := m.sinceMark()
		if err != nil {
			return err
		}
		return m.setItems(items)
	case 'q': // BINPUT
		return m.put(1)
	case 'r': // LONG_BINPUT
		return m.put(4)
	case 0x94: // MEMOIZE
		v, err := m.top()
		if err == nil {
			m.memo[uint32(len(m.memo))] = v
		}
		return err
	case 'h': // BINGET
		return m.get(1)
	case 'j': // LONG_BINGET
		return m.get(4)
	case 'c': // GLOBAL
		lines := strings.SplitN(string(m.code[m.place:min(len(m.code), m.place+200)]), "\n", 3)
		if len(lines) < 3 {
			return errors.New("a name without an end")
		}
		m.place += len(lines[0]) + len(lines[1]) + 2
		return m.global(lines[0], lines[1])
	case 0x93: // STACK_GLOBAL
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		module, ok := items[0].(string)
		name, isText := items[1].(string)
		if !ok || !isText {
			return fmt.Errorf("%s and %s name nothing", describe(items[0]), describe(items[1]))
		}
		return m.global(module, name)
	case 'Q': // BINPERSID
		return m.persistent()
	case 'R': // REDUCE
		return m.call()
	case 'b': // BUILD: attributes of an OrderedDict, which hold versions
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		if _, ok := items[0].(*dict); !ok {
			return fmt.Errorf("sets the state of %s, only that of a dictionary is known here", describe(items[0]))
		}
		return m.push(items[0])
	}
	return errors.New("does not belong into a dictionary of tensors; save model.state_dict(), not the model")
}

func (m *unpickler) take(n int) ([]byte, error) {
	if n > len(m.code)-m.place {
		return nil, errors.New("the pickle ends here")
	}
	b := m.code[m.place : m.place+n]
	m.place += n
	return b, nil
}

func (m *unpickler) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// floor is the height that the stack may not fall below.
func (m *unpickler) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// popN returns a copy of the n topmost values, the lowest first.
func (m *unpickler) popN(n int) ([]any, error) {
	rest := len(m.stack) - n
	if rest < m.floor() {
		return nil, errors.New("the stack is empty")
	}
	items := append([]any(nil), m.stack[rest:]...)
	m.stack = m.stack[:rest]
	return items, nil
}

func (m *unpickler) pop() (any, error) {
	items, err := m.popN(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

func (m *unpickler) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errors.New("the stack is empty")
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *unpickler) sinceMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("there is no mark on the stack")
	}
	items, err := m.popN(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return items, err
}

func (m *unpickler) number(size int) (uint32, error) {
	b, err := m.take(size)
	if err != nil {
		return 0, err
	}
	var wide [4]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint32(wide[:]), nil
}

// integer pushes an integer, of which only one of 4 bytes has a sign.
func (m *unpickler) integer(size int) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	return m.push(int64(int32(n)))
}

// long pushes an integer of up to 8 bytes.
func (m *unpickler) long() error {
	n, err := m.number(1)
	if err != nil {
		return err
	}
	b, err := m.take(int(n))
	if err != nil {
		return err
	}
	if n > 8 {
		return fmt.Errorf("integer of %d bytes", n)
	}
	var wide [8]byte
	copy(wide[8-n:], b)
	return m.push(int64(binary.LittleEndian.Uint64(wide[:])) >> (64 - 8*n))
}

// text pushes a string whose length has so many bytes.
func (m *unpickler) text(size int) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	if int64(n) > int64(len(m.code)) {
		return fmt.Errorf("text of %d bytes, where the pickle has %d", n, len(m.code))
	}
	b, err := m.take(int(n))
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("text %.40q is not UTF-8", b)
	}
	return m.push(string(b))
}

func (m *unpickler) extend(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*list)
	if !ok {
		return fmt.Errorf("appends to %s", describe(v))
	}
	l.items = append(l.items, items...)
	return nil
}

func (m *unpickler) setItems(items []any) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*dict)
	if !ok {
		return fmt.Errorf("sets items of %s", describe(v))
	}
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.items = append(d.items, item{items[i], items[i+1]})
	}
	return nil
}

func (m *unpickler) put(size int) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	v, err := m.top()
	if err == nil {
		m.memo[n] = v
	}
	return err
}

func (m *unpickler) get(size int) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	v, ok := m.memo[n]
	if !ok {
		return fmt.Errorf("nothing was kept as number %d", n)
	}
	return m.push(v)
}

// global pushes a function or class, if it is one of the few known here.
func (m *unpickler) global(module, name string) error {
	g := global(module + " " + name)
	if _, isStorage := torchStorages[g]; !isStorage && g != orderedDict && g != rebuildTensor && g != rebuildParameter {
		return fmt.Errorf("asks for Python's %.200q, which is no part of a dictionary of tensors; save model.state_dict(), not the model", module+"."+name)
	}
	return m.push(g)
}

// persistent turns ("storage", class, key, device, count) into a storage.
func (m *unpickler) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	if id, ok := v.(tuple); ok && len(id) == 5 {
		class, isClass := id[1].(global)
		key, isText := id[2].(string)
		count, isInt := id[4].(int64)
		if name, known := torchStorages[class]; id[0] == "storage" && isClass && known && isText && isInt && count >= 0 {
			return m.push(storage{dtypes[name], key, count})
		}
	}
	return fmt.Errorf("%s is no storage's id", describe(v))
}

// call applies a function to a tuple of arguments.
func (m *unpickler) call() error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	f, isFunction := items[0].(global)
	args, isTuple := items[1].(tuple)
	switch {
	case !isFunction || !isTuple:
	case f == orderedDict && len(args) == 0:
		return m.push(&dict{})
	case f == rebuildParameter && len(args) >= 1:
		if t, ok := args[0].(*torchTensor); ok {
			return m.push(t)
		}
	case f == rebuildTensor && len(args) >= 4: // then requires_grad, hooks, and what else is true of it
		if len(args) > 6 {
			if state, ok := args[6].(*dict); !ok || len(state.items) > 0 {
				return errors.New("the tensor is a view that is negated or conjugated when it is read; save tensor.resolve_neg().resolve_conj()")
			}
		}
		t := &torchTensor{}
		var ok [4]bool
		t.storage, ok[0] = args[0].(storage)
		t.offset, ok[1] = args[1].(int64)
		t.shape, ok[2] = integersOf(args[2])
		t.strides, ok[3] = integersOf(args[3])
		if ok == [4]bool{true, true, true, true} {
			return m.push(t)
		}
	}
	return fmt.Errorf("calls %s with %s", describe(items[0]), describe(items[1]))
}

// integersOf returns a tuple of integers, none negative.
func integersOf(v any) (numbers []int64, ok bool) {
	items, ok := v.(tuple)
	if !ok || len(items) > maxRank {
		return nil, false
	}
	for _, item := range items {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

// describe names a value for messages, without what it holds.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return fmt.Sprintf("the text %.40q", v)
	case global:
		return strings.ReplaceAll(string(v), " ", ".")
	case tuple:
		return fmt.Sprintf("a tuple of %d", len(v))
	case *list:
		return "a list"
	case *dict:
		return "a dictionary"
	case *torchTensor:
		return "a tensor"
	case storage:
		return "a storage"
	}
	return fmt.Sprint(v) // a number or a truth value
}
