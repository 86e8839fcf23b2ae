package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance"
)

// logged is what the tests log for these names and statuses.
func logged(lines ...string) *strings.Reader {
	var text strings.Builder
	for _, line := range lines {
		name, status, _ := strings.Cut(line, " ")
		text.WriteString(`{"level":"INFO","name":"minio-go: ` + name + `","status":"` + status + "\"}\n")
	}
	return strings.NewReader(text.String())
}

func results(all conformance.Outcomes) map[string]string {
	byName := map[string]string{}
	for test, outcome := range all {
		byName[test] = outcome.Result
	}
	return byName
}

func TestOutcomesAreReadFromWhatTheTestsLog(t *testing.T) {
	t.Parallel()
	tests := []string{"testA", "testCors", "testCompose10KSourcesV2", silent, "testCompose10KSources", "testB", "testC"}
	all, err := readOutcomes(logged("testA PASS", "testA FAIL", "testA PASS", "testCors_1_put PASS", "testCors_2_get NA",
		"testComposeMultipleSources FAIL", "testComposeMultipleSources PASS", "testB PASS"), tests)
	require.NoError(t, err)
	// The second of two tests that share a name is one of its own only where the
	// tests between them speak.
	assert.Equal(t, map[string]string{
		"testA": "fail", "testCors": "skip", "testCompose10KSourcesV2": "fail", silent: "pass", "testB": "pass",
	}, results(all))
	assert.Contains(t, all["testA"].Output.String(), `"status":"FAIL"`)
}

func TestWhatTheListDoesNotHaveIsAnError(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{{"testNew PASS"}, {"testB PASS", "testA PASS"}} {
		_, err := readOutcomes(logged(lines...), []string{"testA", "testB"})
		assert.ErrorContains(t, err, "tests.txt has no ")
	}
	_, err := readOutcomes(strings.NewReader("not JSON\n"), []string{"testA"})
	assert.Error(t, err)

	all, err := readOutcomes(logged("testA PASS"), []string{"testA", silent})
	require.NoError(t, err)
	assert.NotContains(t, all, silent, "nothing says that it was run")
}

func TestAllTestsAreListed(t *testing.T) {
	t.Parallel()
	assert.Len(t, strings.Fields(testsList), 91)
}
