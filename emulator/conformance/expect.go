package conformance

import (
	"fmt"
	"io"
	"strings"
)

// Known is what is known of the tests of a client.
type Known struct {
	Title string // what the report calls them

	// Tests lists those that count, one a line: those that pass on the real
	// program, or all that there are.
	Tests string

	// Differs lists those of them that do not pass, one a line, each with the
	// reason; # begins a comment. A reason that begins with "sometimes:" is that
	// of a test that passes or not by chance.
	Differs string

	LeastPassing int // how many tests have to pass, whatever Differs says
}

// Report prints what came of the tests, or of some of them, the count last, and
// returns an error where that is not what is known.
func (k Known) Report(stdout io.Writer, all Outcomes, some bool) error {
	tests, differs, err := k.expectations()
	if err != nil {
		return err
	}
	logs, err := saveLogs(k.Title, all)
	if err != nil {
		return err
	}
	v := compare(tests, differs, all, some)
	if err := v.print(stdout, k.Title, logs, len(tests)); err != nil {
		return err
	}
	if v.surprises() || !some && len(v.passed) < k.LeastPassing {
		return errDiffers
	}
	return nil
}

// expectations are the tests that count, and those of them that are known not
// to pass here, each with its reason.
func (k Known) expectations() (tests []string, differs map[string]string, err error) {
	tests = strings.Fields(k.Tests)
	known := map[string]bool{}
	for _, test := range tests {
		known[test] = true
	}
	differs = map[string]string{}
	for number, line := range strings.Split(k.Differs, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		test, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, nil, fmt.Errorf("what differs, line %d: %s has no reason", number+1, test)
		}
		if !known[test] {
			return nil, nil, fmt.Errorf("what differs, line %d: %s is no test that counts", number+1, test)
		}
		differs[test] = reason
	}
	return tests, differs, nil
}
