package conformance

import (
	"fmt"
	"strings"
)

// expectations are the tests that pass on the real program, and those of them
// that are known not to pass here, each with its reason.
func (s Suite) expectations() (real []string, differs map[string]string, err error) {
	real = strings.Fields(s.Real)
	known := map[string]bool{}
	for _, test := range real {
		known[test] = true
	}
	differs = map[string]string{}
	for number, line := range strings.Split(s.Differs, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		test, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, nil, fmt.Errorf("differs.txt:%d: %s has no reason", number+1, test)
		}
		if !known[test] {
			return nil, nil, fmt.Errorf("differs.txt:%d: %s is not in real.txt", number+1, test)
		}
		differs[test] = reason
	}
	return real, differs, nil
}
