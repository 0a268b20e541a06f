package exchange

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

func readJSONLines(in *bufio.Reader, rows *rowsRead) error {
	dec := json.NewDecoder(in)
	dec.UseNumber()
	for n := 0; ; n++ {
		first, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		var e exported
		switch {
		case err != nil:
		case first == json.Delim('{'):
			err = readObject(dec, &e, rows)
		case first != nil: // null is an object without anything
			err = fmt.Errorf("it is no object but of the type %s", jsonType(first))
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return fmt.Errorf("object %d: the file is cut short", n)
		case err != nil:
			return fmt.Errorf("object %d: %w", n, err)
		}
		if err := rows.end(e); err != nil {
			return err
		}
	}
}

// readObject reads an object behind its brace.
func readObject(dec *json.Decoder, e *exported, rows *rowsRead) error {
	fields := map[string]any{
		"path": &e.Path, "label": &e.Label, "width": &e.Width, "height": &e.Height,
		"size": &e.Size, "modified": &e.Modified, "sha256": &e.SHA256,
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		name := strings.ToLower(key.(string)) // as encoding/json takes it
		if name == "vector" {
			rows.restart()
			err = readVector(dec, rows)
		} else if to := fields[name]; to != nil {
			err = dec.Decode(to)
		} else {
			err = skipValue(dec)
		}
		if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is { // which speaks of Go's types
			return fmt.Errorf("%q does not take the %s", name, wrong.Value)
		} else if err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// readVector reads the numbers of an array. JSON's null, by which other programs write
// NaN, is no 0.
func readVector(dec *json.Decoder, rows *rowsRead) error {
	token, err := dec.Token()
	if err != nil {
		return err
	} else if token != json.Delim('[') && token != nil {
		return fmt.Errorf("\"vector\" does not take the %s", jsonType(token))
	}
	for token != nil {
		if token, err = dec.Token(); err != nil {
			return err
		} else if token == json.Delim(']') {
			return nil
		} else if token == nil {
			break
		}
		text, isNumber := token.(json.Number)
		if !isNumber {
			return fmt.Errorf("\"vector\" does not take the %s", jsonType(token))
		}
		number, err := strconv.ParseFloat(string(text), 32)
		if err != nil {
			return fmt.Errorf("\"vector\" does not take the number %s", text)
		}
		if err := rows.add(float32(number)); err != nil {
			return err
		}
	}
	return errors.New("a value of a vector is null")
}

// skipValue passes over a value of whatever length.
func skipValue(dec *json.Decoder) error {
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// jsonType names what a value is that begins with a token.
func jsonType(token json.Token) string {
	switch token.(type) {
	case bool:
		return "bool"
	case string:
		return "string"
	case json.Number:
		return "number"
	}
	if token == json.Delim('[') {
		return "array"
	}
	return "object"
}
