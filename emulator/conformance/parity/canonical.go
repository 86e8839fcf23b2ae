package parity

import (
	"bytes"
	"encoding/json"
	"strings"
)

// canonical returns the output with its JSON, from the first line that begins
// one, in an order of its own: that of maps is another in each answer. What is
// no JSON stays as it is.
func canonical(output string) string {
	start := beginning(output)
	if start < 0 {
		return output
	}
	decoder := json.NewDecoder(strings.NewReader(output[start:]))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return output
	}
	var ordered bytes.Buffer
	encoder := json.NewEncoder(&ordered)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return output
	}
	rest := output[start+int(decoder.InputOffset()):]
	return output[:start] + ordered.String() + strings.TrimPrefix(rest, "\n")
}

// beginning is where the first line begins that begins an object or an array,
// -1 where none does.
func beginning(output string) int {
	offset := 0
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "{") || strings.HasPrefix(line, "[") {
			return offset
		}
		offset += len(line)
	}
	return -1
}
