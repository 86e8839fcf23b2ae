package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/drydock/drydock/emulator/conformance"
)

// otherNames are those under which tests log that they share with another, by
// the name without V2.
var otherNames = map[string]string{
	"testComposeObjectErrorCases": "testComposeObjectErrorCasesWrapper",
	"testCompose10KSources":       "testComposeMultipleSources",
	"testUserMetadataCopying":     "testUserMetadataCopyingWrapper",
}

// silent is a test that logs its failures alone.
const silent = "testGetObjectWithRange"

// line is what the tests log, once and more often for each.
type line struct {
	Name, Status string
}

// readOutcomes reads the lines that the tests, which run in this order, log.
func readOutcomes(from io.Reader, tests []string) (conformance.Outcomes, error) {
	all := conformance.Outcomes{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	current := 0
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("read what the tests log: %w in %s", err, lines.Bytes())
		}
		name := strings.TrimPrefix(l.Name, "minio-go: ")
		ahead := slices.IndexFunc(tests[current:], func(test string) bool { return logsAs(test, name) })
		if ahead < 0 {
			return nil, fmt.Errorf("tests.txt has no %s from %s on", name, tests[current])
		}
		current += ahead
		o := all[tests[current]]
		if o == nil {
			o = &conformance.Outcome{}
			all[tests[current]] = o
		}
		o.Output.WriteString(lines.Text() + "\n")
		o.Result = worse(o.Result, l.Status)
	}
	if quiet := slices.Index(tests, silent); all[silent] == nil && quiet >= 0 && quiet < current {
		all[silent] = &conformance.Outcome{Result: "pass"}
	}
	return all, lines.Err()
}

// logsAs reports whether a test logs under this name.
func logsAs(test, name string) bool {
	return name == test || name == otherNames[strings.TrimSuffix(test, "V2")] || strings.HasPrefix(name, test+"_")
}

// worse is the result of a test that had this one and now logs this status.
func worse(result, status string) string {
	switch {
	case status == "FAIL" || result == "fail":
		return "fail"
	case status != "PASS" || result == "skip":
		return "skip"
	}
	return "pass"
}
