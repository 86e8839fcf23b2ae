package parity

import (
	"regexp"
	"slices"
	"strings"
)

// Mask replaces what matches, which may refer to its groups, as
// regexp.Regexp.ReplaceAllString does.
type Mask struct {
	Pattern *regexp.Regexp
	With    string
}

// common is what differs between any two programs that do the same.
var common = []Mask{
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "<uuid>"},
	{regexp.MustCompile(`\b[0-9a-f]{64,}\b`), "<hash>"},
	{regexp.MustCompile(`("Hash": )".*"`), "$1<hash>"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( \w+)?)?`), "<time>"},
	{regexp.MustCompile(`\b[0-9a-f]{8}\b`), "<id>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`((?:Create|Modify|Raft|reset )[Ii]ndex"?:? *)\d+`), "$1<index>"},
	{regexp.MustCompile(`(to index )\d+`), "$1<index>"},
	{regexp.MustCompile(`[ \t]+`), " "}, // how wide a column is depends on what is in it
	{regexp.MustCompile(`(?m) $`), ""},
}

var number = regexp.MustCompile(`\d+(\.\d+)*`)

// masked returns the output of a command without what differs from run to run:
// first what the masks hide, then what is common.
func masked(output string, c Command, masks []Mask) string {
	output = canonical(output)
	for _, m := range slices.Concat(masks, common) {
		output = m.Pattern.ReplaceAllString(output, m.With)
	}
	if c.Numbers {
		output = number.ReplaceAllString(output, "<number>")
	}
	if c.Sorted {
		lines := strings.Split(output, "\n")
		slices.Sort(lines)
		output = strings.Join(lines, "\n")
	}
	return output
}
