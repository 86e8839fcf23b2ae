package conformance

import (
	"context"
	"maps"
	"path"
	"regexp"
	"strings"
)

// testAll runs the client's tests whose names match, and once more those that
// another's panic kept from their end, until none is left or none gets there.
func (s Suite) testAll(ctx context.Context, program string, real []string, pattern string, parallel int) (outcomes, error) {
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
		again, err := s.testClient(ctx, program, "^("+strings.Join(left, "|")+")$", parallel)
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
func (all outcomes) unfinished(real []string, matches *regexp.Regexp) []string {
	var left []string
	for _, test := range real {
		name := strings.TrimPrefix(path.Ext(test), ".")
		got, ran := all[test]
		if matches.MatchString(name) && (!ran || got.result == "" && !got.panicked()) {
			left = append(left, name)
		}
	}
	return left
}
