package nn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Layers is a list of layers. In JSON each of them has its class and, as "config",
// its exported fields, or what its own MarshalJSON makes; a nil layer is null:
//
//	[{"class":"Dense","config":{"Name":"fc1","Units":10, …}}, …]
//
// So json.Marshal of a [Sequential] gives its architecture, without input shape and
// parameters, and json.Unmarshal makes the network of it, to be built. A layer that
// has layers inside keeps them in fields of the types Layers or *Sequential. Classes
// of one's own are made known by [Register].
type Layers []Layer

var classes = struct {
	sync.RWMutex
	types map[string]reflect.Type
}{types: map[string]reflect.Type{}}

func init() {
	for _, l := range []Layer{
		&Activate{}, &AveragePool2D{}, &BatchNorm{}, &Conv2D{}, &Conv2DTranspose{}, &Dense{}, &Dropout{}, &Flatten{}, &GlobalAveragePool2D{},
		&GlobalMaxPool2D{}, &MaxPool2D{}, &Reshape{}, &Sequential{}, &UnitDense{}, &UnitNorm{},
	} {
		Register(l)
	}
}

// Register makes a layer's class known, so that networks with such layers can be
// read from files; the value itself is not kept. It is best called in an init
// function of the package that has the layer, as with gob.Register. It panics if the
// class, the second result of Identity, is empty or that of another type.
func Register(l Layer) {
	if isNil(l) {
		panic("nn.Register: the layer is nil")
	}
	_, class := l.Identity()
	t := reflect.TypeOf(l)
	classes.Lock()
	defer classes.Unlock()
	switch known := classes.types[class]; {
	case class == "":
		panic(fmt.Sprintf("nn.Register: %v has no class", t))
	case known != nil && known != t:
		panic(fmt.Sprintf("nn.Register: class %q is that of %v, %v needs another", class, known, t))
	}
	classes.types[class] = t
}

// registered returns the type of a class, nil if there is none.
func registered(class string) reflect.Type {
	classes.RLock()
	defer classes.RUnlock()
	return classes.types[class]
}

// described is a layer in JSON.
type described struct {
	Class  string          `json:"class"`
	Config json.RawMessage `json:"config"`
}

// MarshalJSON implements [json.Marshaler].
func (l Layers) MarshalJSON() ([]byte, error) {
	list := make([]*described, len(l))
	for i, layer := range l {
		if isNil(layer) {
			continue
		}
		_, class := layer.Identity()
		if t := registered(class); t != reflect.TypeOf(layer) {
			return nil, fmt.Errorf("layer %d of %d has the class %q and the type %T, which is not registered by that name; call nn.Register in an init function of the layer's package", i+1, len(l), class, layer)
		}
		config, err := json.Marshal(layer)
		if err != nil {
			return nil, fmt.Errorf("layer %d of %d, of class %q: %w", i+1, len(l), class, err)
		}
		list[i] = &described{class, config}
	}
	return json.Marshal(list)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Layers) UnmarshalJSON(text []byte) error {
	var list []*described
	if err := strictly(text, &list); err != nil {
		return err
	}
	*l = make(Layers, len(list))
	for i, d := range list {
		if d == nil {
			continue
		}
		t := registered(d.Class)
		if t == nil {
			return fmt.Errorf("layer %d of %d is of the class %q, which is not known here; import the package that has it, or let that call nn.Register", i+1, len(list), d.Class)
		}
		made := reflect.New(t)
		if t.Kind() == reflect.Pointer {
			made.Elem().Set(reflect.New(t.Elem()))
		}
		if err := strictly(d.Config, made.Interface()); err != nil {
			return fmt.Errorf("layer %d of %d, of class %q: %w", i+1, len(list), d.Class, err)
		}
		layer, _ := made.Elem().Interface().(Layer)
		if isNil(layer) {
			return fmt.Errorf("layer %d of %d, of class %q: its config is null", i+1, len(list), d.Class)
		}
		(*l)[i] = layer
	}
	return nil
}

// UnmarshalJSON implements [json.Unmarshaler]. What the network was before is gone.
func (s *Sequential) UnmarshalJSON(text []byte) error {
	var plain struct {
		Name   string
		Layers Layers
	}
	if err := strictly(text, &plain); err != nil {
		return err
	}
	*s = Sequential{Name: plain.Name, Layers: plain.Layers}
	return nil
}

// strictly reads JSON in which every field is known.
func strictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// MarshalText implements [encoding.TextMarshaler]: Keras's name, and in brackets the
// scale where that is not Keras's: "elu", "leaky_relu(0.3)".
func (a Activation) MarshalText() ([]byte, error) {
	if known, err := activationNamed(a.String()); err != nil || known.alpha == a.alpha || known.alpha == 0 {
		return []byte(a.String()), err
	}
	return fmt.Appendf(nil, "%s(%s)", a.name, strconv.FormatFloat(float64(a.alpha), 'g', -1, 32)), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *Activation) UnmarshalText(text []byte) error {
	name, scale, scaled := strings.Cut(string(text), "(")
	known, err := activationNamed(name)
	if err != nil {
		return err
	}
	if scaled {
		alpha, err := strconv.ParseFloat(strings.TrimSuffix(scale, ")"), 32)
		if err != nil || !strings.HasSuffix(scale, ")") || known.alpha == 0 || !(alpha > 0 && alpha <= math.MaxFloat32) {
			return fmt.Errorf("activation %q: %s cannot have this scale", text, name)
		}
		known = known.WithAlpha(float32(alpha))
	}
	*a = known
	return nil
}

func activationNamed(name string) (Activation, error) {
	var names []string
	for _, a := range []Activation{Linear, ReLU, LeakyReLU, ELU, Sigmoid, Tanh, Softmax} {
		if a.String() == name {
			return a, nil
		}
		names = append(names, a.String())
	}
	return Linear, fmt.Errorf("there is no activation %q, only %s", name, strings.Join(names, ", "))
}

// MarshalText implements [encoding.TextMarshaler]: "valid" or "same".
func (p Padding) MarshalText() ([]byte, error) {
	if p != Valid && p != Same {
		return nil, fmt.Errorf("padding %d is neither Valid nor Same", int(p))
	}
	return []byte(p.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Padding) UnmarshalText(text []byte) error {
	for _, known := range []Padding{Valid, Same} {
		if known.String() == string(text) {
			*p = known
			return nil
		}
	}
	return fmt.Errorf("there is no padding %q, only %v and %v", text, Valid, Same)
}

// MarshalText implements [encoding.TextMarshaler]: Keras's name.
func (k Initializer) MarshalText() ([]byte, error) {
	if k < 0 || int(k) >= len(initializerNames) {
		return nil, fmt.Errorf("there is no initializer %d", int(k))
	}
	return []byte(k.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *Initializer) UnmarshalText(text []byte) error {
	i := slices.Index(initializerNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("there is no initializer %q, only %s", text, strings.Join(initializerNames[:], ", "))
	}
	*k = Initializer(i)
	return nil
}
