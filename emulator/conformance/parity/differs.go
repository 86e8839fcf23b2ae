package parity

import (
	"fmt"
	"strings"
)

// ParseDiffers reads commands that are known to differ, for Comparison. Each
// stands on a line of its own and is followed by its reason on an indented
// line; # begins a comment.
func ParseDiffers(text string) (map[string]string, error) {
	differs := map[string]string{}
	command := ""
	for number, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		indented := trimmed != "" && trimmed[0] != line[0]
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case indented && command == "":
			return nil, fmt.Errorf("line %d: a reason without its command", number+1)
		case indented:
			differs[command], command = trimmed, ""
		case command != "":
			return nil, fmt.Errorf("line %d: %s has no reason", number, command)
		default:
			command = trimmed
		}
	}
	if command != "" {
		return nil, fmt.Errorf("%s has no reason", command)
	}
	return differs, nil
}
