package conformance

import (
	"context"
	"maps"
	"path"
	"regexp"
	"strings"
)

// quietly is how many tests run at once that are tried again.
const quietly = 2

// testAll runs the client's tests whose names match, and once more those that
// another's panic kept from their end, until none is left or none gets there.
// Those that failed are tried again with few at once: some of them give the
// program milliseconds, which a busy machine takes longer for.
func (s Suite) testAll(ctx context.Context, program string, real []string, differs map[string]string, pattern string, parallel int) (Outcomes, error) {
	all, err := s.testToTheEnd(ctx, program, real, pattern, parallel)
	if err != nil {
		return nil, err
	}
	failed := all.failed(real, differs)
	if len(failed) == 0 {
		return all, nil
	}
	again, err := s.testToTheEnd(ctx, program, nil, exactly(failed), quietly)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, again)
	return all, nil
}

// exactly is the pattern of the tests of these names.
func exactly(names []string) string { return "^(" + strings.Join(names, "|") + ")$" }

// failed returns which of the tests that pass on the real program, and are not
// known to differ, did not pass, by their names without the package.
func (all Outcomes) failed(real []string, differs map[string]string) []string {
	var list []string
	for _, test := range real {
		if got, ran := all[test]; ran && got.Result != "pass" && differs[test] == "" {
			list = append(list, strings.TrimPrefix(path.Ext(test), "."))
		}
	}
	return list
}

// testToTheEnd runs the tests, and once more those that another's panic kept
// from their end.
func (s Suite) testToTheEnd(ctx context.Context, program string, real []string, pattern string, parallel int) (Outcomes, error) {
	matches, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	all, err := s.testClient(ctx, program, pattern, parallel)
	if err != nil {
		return nil, err
	}
	left := all.unfinished(real, matches)
	for len(left) > 0 {
		again, err := s.testClient(ctx, program, exactly(left), parallel)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, again)
		before := len(left)
		if left = all.unfinished(real, matches); len(left) == before {
			break
		}
	}
	return all, nil
}

// unfinished returns which of the tests that pass on the real program, by their
// names without the package, have not come to an end of their own.
func (all Outcomes) unfinished(real []string, matches *regexp.Regexp) []string {
	var left []string
	for _, test := range real {
		name := strings.TrimPrefix(path.Ext(test), ".")
		got, ran := all[test]
		if matches.MatchString(name) && (!ran || got.Result == "" && !got.panicked()) {
			left = append(left, name)
		}
	}
	return left
}
