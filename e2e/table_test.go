package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const parityFile = "../docs/parity.md"

const parityHead = `# Parity

One end-to-end suite, package [e2e](../e2e), runs on every stack; each case is written once, against the APIs of Nomad, Consul and
the services. The times are information: how long the case took when the column was written. ` + "`make e2e STACK=… ARGS=-update`" + ` writes it.

`

// columns are the stacks in the order of the table.
var columns = []string{"emulator", "real", "cluster"}

// parity is the table of the outcomes by case and stack.
type parity map[string]map[string]string

// rowNames are the cases in their order.
func rowNames() []string {
	names := []string{rowStart}
	for _, c := range cases {
		names = append(names, c.name)
	}
	return names
}

// parseTable reads the table that the text holds.
func parseTable(text string) parity {
	p := parity{}
	var header []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		if header == nil {
			header = cells
			continue
		}
		for i, cell := range cells[1:] {
			p.put(cells[0], header[i+1], cell)
		}
	}
	return p
}

func (p parity) put(row, stack, outcome string) {
	if p[row] == nil {
		p[row] = map[string]string{}
	}
	p[row][stack] = outcome
}

// set replaces the outcomes of a stack; a case that did not run keeps what it had.
func (p parity) set(stack string, outcomes map[string]string) {
	for row, outcome := range outcomes {
		p.put(row, stack, outcome)
	}
}

// rows are the table alone.
func (p parity) rows() string {
	shown := slices.Clone(columns)
	if p[rowStart][running] != "" {
		shown = append(shown, running)
	}
	width := 0
	for _, row := range rowNames() {
		width = max(width, len([]rune(row)))
	}
	var out strings.Builder
	write := func(cells []string) {
		fmt.Fprintf(&out, "| %-*s |", width, cells[0])
		for _, cell := range cells[1:] {
			fmt.Fprintf(&out, " %8s |", cell)
		}
		out.WriteString("\n")
	}
	write(append([]string{"case"}, shown...))
	fmt.Fprintf(&out, "|%s|%s\n", strings.Repeat("-", width+2), strings.Repeat("---------:|", len(shown)))
	for _, row := range rowNames() {
		cells := []string{row}
		for _, stack := range shown {
			cells = append(cells, p[row][stack])
		}
		write(cells)
	}
	return out.String()
}

func (p parity) String() string { return parityHead + p.rows() }

func TestTheTableKeepsTheOtherStacks(t *testing.T) {
	t.Parallel()
	first := parity{}
	first.set("real", map[string]string{rowStart: "41.0 s", "drain": "12.3 s", "zone lost": "one zone"})
	first.set("emulator", map[string]string{rowStart: "2.0 s", "drain": "failed"})
	again := parseTable(first.String())
	assert.Equal(t, first.String(), again.String())
	again.set("emulator", map[string]string{"drain": "1.2 s"})
	assert.Equal(t, map[string]string{"emulator": "1.2 s", "real": "12.3 s", "cluster": ""}, again["drain"])
	assert.Equal(t, "one zone", again["zone lost"]["real"])
	assert.Contains(t, again.rows(), "| drain ")
	assert.NotContains(t, again.rows(), running)
	again.set(running, map[string]string{rowStart: "0.1 s"})
	assert.Contains(t, again.rows(), running)
}
