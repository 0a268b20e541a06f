package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lookalike/autoencoder"
)

func (a *app) summaryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "summary MODEL",
		Short: "Show the layers of a model and how many parameters they have",
		Long: `Shows the layers of an autoencoder's encoder and decoder, with the shapes of
their outputs and the numbers of their parameters, in the form of Keras.`,
		Example: "  lookalike summary model.safetensors",
		Args:    arguments("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := autoencoder.Load(args[0])
			if err != nil {
				return err
			}
			fmt.Fprint(a.out, m.Summary())
			return nil
		},
	}
}
