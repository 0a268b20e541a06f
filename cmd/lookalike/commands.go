package main

import (
	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
)

// addCommands gives root all commands, in the groups and the order that help
// lists them in: as a person meets them, from the first minute on.
func addCommands(a *app, root *cobra.Command) {
	cobra.EnableCommandSorting = false
	group := func(title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
		for _, c := range commands {
			c.GroupID = title
		}
		root.AddCommand(commands...)
	}
	group("Begin here",
		demoCommand(a),
	)
	group("Describe pictures",
		trainCommand(a),
		indexCommand(a),
		exportCommand(a),
		importCommand(a),
	)
	group("Find pictures",
		searchCommand(a),
		a.compareCommand(),
		a.dupsCommand(),
		mapCommand(a),
		classifyCommand(a),
	)
	group("Judge results",
		evalCommand(a),
		thresholdCommand(a),
		benchCommand(a),
	)
	group("Networks and their weights",
		weightsCommand(a),
		verifyCommand(a),
		convertCommand(a),
		summaryCommand(a),
	)
	const program = "This program"
	group(program,
		configCommand(a),
		versionCommand(a),
		completionCommand(a),
		manCommand(a),
	)
	root.AddCommand(topics()...)
	root.SetHelpCommand(cli.HelpCommand())
	root.SetHelpCommandGroupID(program)
}
