package conformance

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// sometimes begins the reason of a test that passes here or not by chance.
const sometimes = "sometimes:"

// difference is a test that counts and does not pass.
type difference struct{ test, reason string }

// verdict holds what the tests did against what is known of them. Every test
// that counts is in one of passed, explained and unexplained, unless only some
// were run.
type verdict struct {
	passed      []string
	explained   []difference
	unexplained []difference // the reason is what became of the test
	outdated    []string     // those that passed although they are listed to differ
}

// compare judges the tests that count; with some set, only those that were run.
func compare(tests []string, differs map[string]string, all Outcomes, some bool) verdict {
	var v verdict
	for _, test := range tests {
		got, ran := all[test]
		if !ran && some {
			continue
		}
		reason, listed := differs[test]
		switch {
		case ran && got.Result == "pass":
			v.passed = append(v.passed, test)
			if listed && !strings.HasPrefix(reason, sometimes) {
				v.outdated = append(v.outdated, test)
			}
		case listed:
			v.explained = append(v.explained, difference{test, reason})
		default:
			v.unexplained = append(v.unexplained, difference{test, became(got)})
		}
	}
	return v
}

// became is what became of a test that did not pass.
func became(o *Outcome) string {
	switch {
	case o == nil:
		return "did not run"
	case o.panicked():
		return "panicked, and ended the others"
	case o.Result == "":
		return "did not end"
	case o.Result == "skip":
		return "was skipped"
	}
	return "failed"
}

// surprises reports whether anything is not as it is listed.
func (v verdict) surprises() bool { return len(v.unexplained)+len(v.outdated) > 0 }

// print tells people, the count of the titled suite last. logs is where the
// output of the tests is.
func (v verdict) print(out io.Writer, title, logs string, of int) error {
	var text strings.Builder
	section(&text, "do not pass, with the reason that is listed:", v.explained)
	section(&text, "do not pass, and no reason is listed (see "+logs+"):", v.unexplained)
	if len(v.outdated) > 0 {
		fmt.Fprintf(&text, "pass, though listed not to:\n  %s\n", strings.Join(v.outdated, "\n  "))
	}
	fmt.Fprintf(&text, "%s: %d passed of %d\n", title, len(v.passed), of)
	_, err := io.WriteString(out, text.String())
	return err
}

// section prints differences as a table under a title, or nothing.
func section(out io.Writer, title string, differences []difference) {
	if len(differences) == 0 {
		return
	}
	fmt.Fprintln(out, title)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range differences {
		fmt.Fprintf(table, "  %s\t%s\n", d.test, d.reason)
	}
	table.Flush()
}
