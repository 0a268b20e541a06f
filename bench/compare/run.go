package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"

	"lookalike/internal/measure"
)

// run runs the group's contestants in turn, every second round backwards, so that
// a machine that gets slower treats all alike. Others that fail are reported and
// left out from then on; that ours fails is an error.
func (g group) run(ctx context.Context, rounds int, write func(record) error) error {
	field := slices.Clone(g.contestants)
	for round := range rounds {
		for _, c := range slices.Clone(field) {
			rows, err := c.run(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				if strings.HasPrefix(c.who, ourName) {
					return fmt.Errorf("%s: %s: %w", g.name, c.who, err)
				}
				log.Printf("%s: %s: %v", g.name, c.who, err)
				field = slices.DeleteFunc(field, func(other contestant) bool { return other.who == c.who })
				if err := write(record{Group: g.name, Who: c.who, Round: round + 1, Failure: err.Error()}); err != nil {
					return err
				}
			}
			for _, raw := range rows {
				row, err := parseRow(raw)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", g.name, c.who, err)
				}
				log.Printf("%d/%d %-12s %-32s %10.4f ms %6d MB", round+1, rounds, c.who, row.Key(), row.BestMS(), row.MaxRSSMB)
				if err := write(record{Group: g.name, Who: c.who, Round: round + 1, Row: raw}); err != nil {
					return err
				}
			}
		}
		slices.Reverse(field)
	}
	return nil
}

// run runs the program and returns the lines of JSON that it prints. The peak
// memory that they tell is the program's own: where a process begins as a copy of
// this one, its peak begins with ours, which is small and has to stay so.
func (c contestant) run(ctx context.Context) ([]json.RawMessage, error) {
	cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	cmd.Env = append(append(environment(), "PYTHONDONTWRITEBYTECODE=1"), c.env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", reason(errs.String()), err)
	}
	rows := jsonLines(out)
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s printed no measurement", strings.Join(c.command, " "))
	}
	return rows, nil
}

// jsonLines returns the lines that hold an object; engines print others, too.
func jsonLines(out []byte) []json.RawMessage {
	var rows []json.RawMessage
	for line := range bytes.Lines(out) {
		if line = bytes.TrimSpace(line); bytes.HasPrefix(line, []byte("{")) && json.Valid(line) {
			rows = append(rows, json.RawMessage(line))
		}
	}
	return rows
}

// parseRow reads a measurement. The autoencoder's scripts say that their batch is
// 32, as ours is, in words only.
func parseRow(raw json.RawMessage) (measure.Row, error) {
	var r measure.Row
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("measurement %s: %w", raw, err)
	}
	if strings.HasPrefix(r.Task, "autoencoder ") && r.Batch == 0 {
		r.Batch = 32
	}
	return r, nil
}

// reason picks out of what a program wrote to standard error why it ended: the
// last line of it, or that a Python module is not there.
func reason(text string) string {
	last := "no message"
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if module, ok := strings.CutPrefix(line, "ModuleNotFoundError: "); ok {
			return "not installed: " + module
		}
		if line != "" {
			last = line
		}
	}
	return last
}

// environment is the caller's without what would make OpenBLAS take other kernels
// than those that it finds best for the processor.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "OPENBLAS_CORETYPE=") || strings.HasPrefix(v, "OPENBLAS_L2_SIZE=")
	})
}
