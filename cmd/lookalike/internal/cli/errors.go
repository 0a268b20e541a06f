package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	StatusOK          = 0
	StatusError       = 1
	StatusUsage       = 2
	StatusSkipped     = 3 // with --strict only
	StatusInterrupted = 130
)

// FailureStatus is an annotation of a command: the status of its errors, if not
// StatusError.
const FailureStatus = "status of failures"

// StatusOf is the status of a failed command, in general or for it in particular.
func StatusOf(cmd *cobra.Command, general int) int {
	if own, err := strconv.Atoi(cmd.Annotations[FailureStatus]); err == nil {
		return own
	}
	return general
}

// UsageError is a mistake in the command line.
type UsageError struct{ error }

// Usagef is fmt.Errorf for a mistake in the command line.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// AsUsage makes any error one.
func AsUsage(err error) error { return UsageError{err} }

// StoppedError tells what there is after a signal, and how to go on.
type StoppedError string

func (e StoppedError) Error() string { return string(e) }

// Unwritten words the end of a command whose only result is a file, which is
// written whole at last: after a signal there is none of it.
func Unwritten(ctx context.Context, err error) error {
	if _, told := errors.AsType[StoppedError](err); err != nil && ctx.Err() != nil && !told {
		return StoppedError("stopped; nothing was written")
	}
	return err
}
