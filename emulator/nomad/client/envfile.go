package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// parseEnv reads the format of Nomad's env templates: KEY=value lines, "#" comments, and values of which parts may be in
// single quotes (as they are) or double quotes (with JSON's escapes). Errors do not show the line, which may be a secret.
func parseEnv(text string) (map[string]string, error) {
	vars := map[string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, rest, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		key = strings.TrimSpace(key)
		if !found || key == "" || strings.Map(inEnvName, key) != key {
			return nil, fmt.Errorf("line %d is not KEY=value: correct it", number)
		}
		value, err := parseEnvValue(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d, %s: %w", number, key, err)
		}
		vars[key] = value
	}
	return vars, nil
}

func parseEnvValue(rest string) (string, error) {
	var value strings.Builder
	rest = strings.TrimSpace(rest)
	for rest != "" {
		switch rest[0] {
		case '#':
			rest = ""
		case '\'':
			part, after, closed := strings.Cut(rest[1:], "'")
			if !closed {
				return "", errors.New("a single quote is not closed: close it")
			}
			value.WriteString(part)
			rest = after
		case '"':
			part, after, err := unquoteJSON(rest)
			if err != nil {
				return "", err
			}
			value.WriteString(part)
			rest = after
		default:
			end := strings.IndexAny(rest, `#'"`)
			if end < 0 {
				end = len(rest)
			}
			part := rest[:end]
			if rest = rest[end:]; rest == "" || rest[0] == '#' {
				part = strings.TrimRight(part, " \t")
			}
			value.WriteString(part)
		}
	}
	return value.String(), nil
}

// unquoteJSON reads the JSON string at the start of text and returns what follows it.
func unquoteJSON(text string) (value, rest string, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&value); err != nil {
		return "", "", errors.New("a double quote is not closed, or has escapes that JSON has not: write the value with toJSON")
	}
	return value, text[decoder.InputOffset():], nil
}
