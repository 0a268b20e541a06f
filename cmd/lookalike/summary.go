package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"lookalike/tensor"
)

func (a *app) summaryCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "summary MODEL",
		Short: "Show the layers of a model and how many parameters they have",
		Long: `Shows the layers of an autoencoder, of VGG16 or of VGG19, with the shapes of
their outputs and the numbers of their parameters, in the form of Keras. Of an
embedding these are the layers that it has learned, without the VGG below. Of any
other file of weights it lists the arrays.

The model may be in any format that 'lookalike convert' reads.`,
		Example: `  lookalike summary model.safetensors
  lookalike summary weights.npz --json`,
		Args: arguments("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := openContent(args[0])
			if err != nil {
				return err
			}
			defer c.Close()
			switch {
			case asJSON:
				return a.printJSON(c.describe())
			case c.kind != "":
				fmt.Fprint(a.out, c.summary)
			default:
				if c.unknown != errUnknown {
					a.warn("note: only the arrays can be shown: %v", c.unknown)
				}
				c.describe().write(a.out)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print format, network and arrays as JSON")
	return cmd
}

// description is a summary as JSON.
type description struct {
	Format     string             `json:"format"`
	Network    string             `json:"network"` // "" if it is not known here
	Parameters int                `json:"parameters"`
	Arrays     []arrayDescription `json:"arrays"`
}

type arrayDescription struct {
	Name       string `json:"name"`
	Shape      []int  `json:"shape"`
	Type       string `json:"type"` // as it is stored
	Parameters int    `json:"parameters"`
}

func (c *content) describe() description {
	d := description{Format: c.file.Format(), Network: c.kind, Arrays: []arrayDescription{}}
	for _, name := range c.names {
		shape, _ := c.file.Shape(name)
		n := tensor.Size(shape)
		d.Arrays = append(d.Arrays, arrayDescription{name, append([]int{}, shape...), c.file.Type(name), n})
		d.Parameters += n
	}
	return d
}

// write lists the arrays, for people.
func (d description) write(w io.Writer) {
	fmt.Fprintf(w, "Format: %s\n", d.Format)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "Array\tShape\tType\tParam #")
	for _, array := range d.Arrays {
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(array.Shape), "[]"), " ", ", ")
		fmt.Fprintf(table, "%s\t(%s)\t%s\t%s\n", printable(array.Name), shape, array.Type, thousands(array.Parameters))
	}
	table.Flush()
	fmt.Fprintf(w, "Total: %s, %s parameters\n", count(len(d.Arrays), "array"), thousands(d.Parameters))
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
