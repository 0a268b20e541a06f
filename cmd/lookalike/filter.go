package main

import (
	"errors"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
)

// filterHelp describes --filter, for the help of commands.
const filterHelp = `--filter restricts what is found: label=NAME to pictures in folders of that name,
path=GLOB to paths that match, where * stands for anything within a folder's or
file's name, ** for anything, ? for one character; a GLOB without a slash is
compared with the file's name alone. With != in place of = those are left out.
Given several times, one condition of each kind must hold, and every !=.`

// openFiltered is openCollection, and makes a filter of the values of --filter; it
// leaves something to find, and is nil if there are none.
func openFiltered(a *app, index, photos string, filters []string, options ...lookalike.OpenOption) (*collection, *lookalike.Filter, error) {
	only, err := lookalike.ParseFilter(filters...)
	if err != nil {
		return nil, nil, cli.Usagef("--filter %w", err)
	}
	c, err := openCollection(a, index, photos, options...)
	if err != nil || len(filters) == 0 {
		return c, nil, err
	}
	if err := only.Check(c.Entries); err != nil {
		c.Close()
		if e, ok := errors.AsType[*lookalike.FilterError](err); ok {
			err = errors.New(e.Of("--filter"))
		}
		return nil, nil, err
	}
	return c, only, nil
}

// where is the option of a search that a filter makes, which is nil if it is.
func where(only *lookalike.Filter) lookalike.SearchOption {
	if only == nil {
		return nil
	}
	return lookalike.Where(only.Keeps)
}
