// Package netfile keeps networks of package nn in files: their architecture and
// their parameters, so that reading needs neither the program that made them nor a
// word about their layers.
//
// A file is a safetensors file, which other programs read too. Its arrays are the
// parameters, as float32, little-endian, by Keras's names ("conv2d_1/kernel"); its
// metadata has the architecture as JSON (see [nn.Layers]), which parameters are
// frozen, a version, and a checksum over all of that. Layers outside nn are made
// known by [nn.Register]. What an optimizer remembers is not in it (see
// optim.Stateful), nor what was measured.
package netfile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"lookalike/internal/checkpoint"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/weights"
)

var format = checkpoint.Format{Kind: "network", Version: "1"}

const (
	configKey   = "config" // as checkpoint has it
	checksumKey = "checksum"
)

// What a file's architecture may have: networks of thousands of layers stay below.
// Layers within layers are read level by level, so depth costs time.
const (
	maxConfig = 1 << 20 // bytes
	maxDepth  = 200     // brackets in one another, three or four for each level
)

// config is what a file says of its network.
type config struct {
	Input   []int          `json:"input"` // shape, without the batch
	Network *nn.Sequential `json:"network"`
	Frozen  []string       `json:"frozen,omitempty"` // parameters
}

// Save writes a network that has been built to a file, which appears whole or not at
// all and replaces one that is there. A network that is a part of another, or that
// nn's Slice has made, is written as one that stands alone. Same network, same bytes.
func Save(path string, net *nn.Sequential) error {
	tensors, metadata, err := describe(net)
	if err != nil {
		return fmt.Errorf("netfile: write %s: %w", path, err)
	}
	if err := weights.Save(path, tensors, metadata); err != nil {
		return fmt.Errorf("netfile: %w", err)
	}
	return nil
}

// describe returns what is in a network's file.
func describe(net *nn.Sequential) (tensors map[string]*tensor.Tensor, metadata map[string]string, err error) {
	if net == nil || !net.Built() {
		return nil, nil, errors.New("there is no network, or it has not been built")
	}
	c := config{Input: net.InputShape(), Network: net}
	names, params := net.ParamNames(), net.Params()
	places := map[string]int{}
	for i, p := range params {
		if other, ok := places[names[i]]; ok {
			return nil, nil, fmt.Errorf("parameters %d and %d are both named %q; give their layers other names", other+1, i+1, names[i])
		}
		places[names[i]] = i
		if p.Frozen() {
			c.Frozen = append(c.Frozen, names[i])
		}
		params[i] = &nn.Param{Name: names[i], Value: p.Value}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	if err := checkConfig(text); err != nil {
		return nil, nil, err
	}
	metadata = format.Metadata(json.RawMessage(text), "")
	metadata[checksumKey] = checksum(metadata[configKey], params)
	return checkpoint.ByName(params), metadata, nil
}

// checksum covers the architecture and the parameters, their names and shapes.
func checksum(config string, params []*nn.Param) string {
	sum := sha256.Sum256([]byte(config + "\n" + checkpoint.Fingerprint(params)))
	return hex.EncodeToString(sum[:])
}

// Load reads the network that Save has written to a file, built and ready. A file
// that is damaged, or has layers that are not known, is an error that says so.
func Load(path string) (*nn.Sequential, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, fmt.Errorf("netfile: %w", err)
	}
	defer file.Close()
	net, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("netfile: %s: %w", path, err)
	}
	return net, nil
}

// Read is [Load] for a file that is open, and stays so: by [weights.Read], for bytes
// that do not lie in a file of their own.
func Read(file *weights.File) (*nn.Sequential, error) {
	net, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("netfile: %w", err)
	}
	return net, nil
}

func read(file *weights.File) (*nn.Sequential, error) {
	text := file.Metadata()[configKey]
	if format.Has(file) {
		if err := checkConfig([]byte(text)); err != nil {
			return nil, err
		}
	}
	var c config
	if err := format.Config(file, &c); err != nil {
		return nil, err
	}
	if c.Network == nil {
		return nil, errors.New("its architecture has no network")
	}
	_, needs, err := nn.Plan(c.Network, c.Input)
	if err != nil {
		return nil, err
	}
	if err := checkpoint.CheckSize(file, file.Names(), needs); err != nil { // before memory is taken for them
		return nil, err
	}
	if _, err := c.Network.Build(c.Input, nil); err != nil {
		return nil, err
	}
	names, params := c.Network.ParamNames(), c.Network.Params()
	tensors, stored := map[string]*tensor.Tensor{}, make([]*nn.Param, len(params))
	for i, p := range params {
		tensors[names[i]] = p.Value
		stored[i] = &nn.Param{Name: names[i], Value: p.Value}
		if slices.Contains(c.Frozen, names[i]) {
			p.Freeze()
		}
	}
	if err := weights.Load(file, tensors); err != nil {
		return nil, err
	}
	if want := file.Metadata()[checksumKey]; checksum(text, stored) != want {
		return nil, errors.New("its checksum is another: the file is damaged, or has been changed since it was written")
	}
	return c.Network, nil
}

// checkConfig refuses what is too long or too deep.
func checkConfig(text []byte) error {
	if len(text) > maxConfig {
		return fmt.Errorf("its architecture takes %d bytes, the limit is %d", len(text), maxConfig)
	}
	depth, quoted, escaped := 0, false, false
	for _, b := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && b == '\\':
			escaped = true
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{', b == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("its architecture has networks in one another that are too deep: more than %d brackets", maxDepth)
			}
		case b == '}', b == ']':
			depth--
		}
	}
	return nil
}
