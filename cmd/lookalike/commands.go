package main

import (
	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
)

// addCommands gives root all commands, in the groups and the order that help
// lists them in: as a person meets them, from the first minute on.
func (a *app) addCommands(root *cobra.Command) {
	cobra.EnableCommandSorting = false
	group := func(title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
		for _, c := range commands {
			c.GroupID = title
		}
		root.AddCommand(commands...)
	}
	group("Begin here",
		a.demoCommand(),
	)
	group("Describe pictures",
		a.trainCommand(),
		a.indexCommand(),
		a.exportCommand(),
		a.importCommand(),
	)
	group("Find pictures",
		a.searchCommand(),
		a.compareCommand(),
		a.dupsCommand(),
		a.mapCommand(),
		a.classifyCommand(),
	)
	group("Judge results",
		a.evalCommand(),
		a.thresholdCommand(),
		a.benchCommand(),
	)
	group("Networks and their weights",
		a.weightsCommand(),
		a.verifyCommand(),
		a.convertCommand(),
		a.summaryCommand(),
	)
	const program = "This program"
	group(program,
		a.configCommand(),
		a.versionCommand(),
		a.completionCommand(),
		a.manCommand(),
	)
	root.AddCommand(topics()...)
	root.SetHelpCommand(cli.HelpCommand())
	root.SetHelpCommandGroupID(program)
}
