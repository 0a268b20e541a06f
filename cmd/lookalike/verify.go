package main

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/certificate"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/words"
	"lookalike/vgg"
	"lookalike/weights"
)

func verifyCommand(a *app) *cobra.Command {
	var reference string
	var script bool
	cmd := &cobra.Command{
		Use:   "verify WEIGHTS",
		Short: "Check layer by layer that VGG computes what Keras computes",
		Long: fmt.Sprintf(`Runs three pictures, which a formula draws, through VGG16 or VGG19 with the
weights of a file, and compares each layer's mean, norm and 64 of its values
with what Keras made of the same pictures. Prints a table of the layers with the
worst error as a part of the layer's norm; up to %g a layer is right. The exit
status is 1 if any is off.

The program knows Keras's numbers for the convolutions of VGG16 with the
published weights. For other weights, for the dense layers and for VGG19, have
Keras compute them on a machine that has it: --print-script prints a short
program that writes reference.npz.`, certificate.Tolerance),
		Example: `  lookalike verify vgg16_weights_tf_dim_ordering_tf_kernels.h5
  lookalike verify weights.h5 --print-script > ref.py && python ref.py
  lookalike verify weights.h5 --reference reference.npz`,
		Args: cli.Arguments("WEIGHTS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := vgg.Open(args[0], vgg.Config{})
			if err != nil {
				return err
			}
			defer m.Close()
			if script {
				fmt.Fprint(a.Out, certificate.Script(m, args[0]))
				return nil
			}
			sums, err := checksums(m, args[0], reference)
			if err != nil {
				return err
			}
			defer sums.Close()
			p := a.Progress("Verifying", "layers", len(m.Layers()))
			defer p.End()
			list, err := certificate.Verify(cmd.Context(), m, sums, func(n int) { p.Set(n) })
			p.End()
			if err != nil {
				return err
			}
			return certify(a.Out, list)
		},
	}
	cmd.Flags().StringVar(&reference, "reference", "", "compare with Keras's numbers in `FILE`, written by the script")
	cmd.Flags().BoolVar(&script, "print-script", false, "print the Python script that makes a reference")
	return cmd
}

// checksums opens a reference, or the built-in one if its path is empty.
func checksums(m *vgg.Model, file, path string) (*weights.File, error) {
	switch {
	case path != "":
		return weights.Open(path)
	case m.Name() != "vgg16":
		return nil, fmt.Errorf("the numbers of Keras for %s are not built in; 'lookalike verify %s --print-script' prints a script that makes them, for --reference", m.Name(), file)
	}
	return certificate.Keras()
}

// certify prints the table.
func certify(w io.Writer, list []certificate.Agreement) error {
	off, without, worst := 0, 0, 0.0
	fmt.Fprintf(w, "%-24s  %-16s  %12s  %8s\n", "layer", "output", "norm", "error")
	for _, l := range list {
		shape := fmt.Sprint(l.Layer.Shape)
		verdict := fmt.Sprintf("%8.1e", l.Error)
		switch {
		case !l.Compared:
			verdict = "       -  not in the reference"
			without++
		case !l.OK():
			verdict += "  OFF"
			off++
		}
		if !(l.Error <= worst) {
			worst = l.Error
		}
		fmt.Fprintf(w, "%-24s  %-16s  %12.6g  %s\n", l.Layer.Name, shape, l.Norm, verdict)
	}
	compared := len(list) - without
	if off > 0 {
		if math.IsNaN(worst) {
			return errors.New("some outputs are not numbers: the weights are damaged")
		}
		return fmt.Errorf("%d of %d layers are off by up to %.1e, more than %.0e: these are not the weights of the reference, or something is broken", off, compared, worst, certificate.Tolerance)
	}
	fmt.Fprintf(w, "%s agree with Keras to %.1e of their norm\n", words.Count(compared, "layer"), worst)
	if without > 0 {
		fmt.Fprintf(w, "%s were not compared; --print-script tells how to make a reference that has them\n", words.Count(without, "layer"))
	}
	return nil
}
