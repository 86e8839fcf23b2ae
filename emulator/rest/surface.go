package rest

import (
	"fmt"
	"slices"
	"strings"
)

const surfaceHead = `# The surface of the emulated %s

Every route of %[1]s %[2]s's HTTP API, and how far it is served here. Generated from the table of routes:
` + "`go test ./emulator/%[3]s -run Surface -update`" + ` writes it anew, and the tests fail when it is not current.

- **faithful**: does what the real one does, as far as the community edition goes;
- **partial**: serves clients, with what is named missing;
- **absent**: answers 404, and is counted and logged as every unknown route is.

%[4]d routes: %[5]d faithful, %[6]d partial, %[7]d absent.

| method | path | here | what is missing, or why |
|---|---|---|---|
`

// Surface describes a table of routes for readers, in Markdown. The program is
// the emulated one's name, and its folder's too, in lower case.
func Surface[R any](program, version string, table []Route[R]) string {
	table = slices.Clone(table)
	slices.SortStableFunc(table, func(a, b Route[R]) int { return strings.Compare(a.Path, b.Path) })
	counts := map[Fidelity]int{}
	var rows strings.Builder
	for _, r := range table {
		counts[r.Does]++
		fmt.Fprintf(&rows, "| %s | `%s` | %s | %s |\n", r.Method, strings.ReplaceAll(r.Path, "...}", "}"), r.Does, r.Lacks)
	}
	return fmt.Sprintf(surfaceHead, program, version, strings.ToLower(program), len(table),
		counts[Faithful], counts[Partial], counts[Absent]) + rows.String()
}
