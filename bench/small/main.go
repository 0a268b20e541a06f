// Command small helps to time other engines at our small networks.
//
//	small -export DIR              writes the networks, an input and our output of each
//	small -beside PROGRAM ARGS…    runs a program while another process keeps a processor busy
package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"lookalike/internal/atomicfile"
	"lookalike/internal/measure"
	"lookalike/nn"
)

func main() {
	log.SetFlags(0)
	export := flag.String("export", "", "write the networks to this `folder`")
	beside := flag.Bool("beside", false, "run a program beside a busy process")
	spin := flag.Bool("spin", false, "be that process: end with standard input")
	flag.Parse()
	var err error
	switch {
	case *export != "":
		err = exportAll(*export)
	case *beside && flag.NArg() > 0:
		err = runBeside(flag.Args())
	case *spin:
		go func() { io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
		for {
		}
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		log.Fatalf("small: %v", err)
	}
}

// runBeside runs a program beside one that spins, which ends with the pipe to it.
func runBeside(command []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	busy := exec.Command(self, "-spin")
	pipe, err := busy.StdinPipe()
	if err != nil {
		return err
	}
	if err := busy.Start(); err != nil {
		return err
	}
	defer busy.Wait()
	defer pipe.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// layer is what a script must know of a layer to build it in another engine.
type layer struct {
	Class      string  `json:"class"`
	Padding    string  `json:"padding,omitempty"`
	Activation string  `json:"activation,omitempty"`
	Shapes     [][]int `json:"shapes"` // of its parameters
}

// exportAll writes of each network NAME.json, the layers, and NAME.bin: input, output and
// parameters one after the other.
func exportAll(dir string) error {
	for _, s := range measure.Small {
		net, err := s.New()
		if err != nil {
			return err
		}
		var layers []layer
		x := measure.SmallInput(s.Input)
		y := net.Predict(x)
		values := append(append([]float32(nil), x.Data()...), y.Data()...)
		for _, l := range net.Layers {
			_, class := l.Identity()
			d := layer{Class: class}
			switch l := l.(type) {
			case *nn.Conv2D:
				d.Padding, d.Activation = l.Padding.String(), l.Activation.String()
			case *nn.Dense:
				d.Activation = l.Activation.String()
			case *nn.MaxPool2D, *nn.Flatten:
			default:
				return fmt.Errorf("%s has a %s, which is not exported", s.Name, class)
			}
			for _, p := range l.Params() {
				d.Shapes = append(d.Shapes, p.Value.Shape())
				values = append(values, p.Value.Data()...)
			}
			layers = append(layers, d)
		}
		text, err := json.Marshal(map[string]any{"input": x.Shape(), "output": y.Shape(), "layers": layers})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, s.Name+".json"), text, 0o644); err != nil {
			return err
		}
		if err := atomicfile.Write(filepath.Join(dir, s.Name+".bin"), func(w io.Writer) error {
			return binary.Write(w, binary.LittleEndian, values)
		}); err != nil {
			return err
		}
	}
	return nil
}
