package conformance

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// finished is what came of tests that ended with these results.
func finished(results map[string]string) Outcomes {
	all := Outcomes{}
	for test, result := range results {
		all[test] = &Outcome{Result: result}
	}
	return all
}

func TestEveryTestIsJudged(t *testing.T) {
	t.Parallel()
	real := []string{"api.A", "api.B", "api.C", "api.D", "api.E", "api.F"}
	differs := map[string]string{"api.B": "no gossip", "api.C": "no gossip"}
	all := finished(map[string]string{"api.A": "pass", "api.B": "fail", "api.C": "pass", "api.D": "fail", "api.E": "skip", "api.Z": "fail"})

	v := compare(real, differs, all, false)
	assert.Equal(t, []string{"api.A", "api.C"}, v.passed)
	assert.Equal(t, []difference{{"api.B", "no gossip"}}, v.explained)
	assert.Equal(t, []difference{{"api.D", "failed"}, {"api.E", "was skipped"}, {"api.F", "did not run"}}, v.unexplained)
	assert.Equal(t, []string{"api.C"}, v.outdated)
	assert.True(t, v.surprises())

	chance := map[string]string{"api.A": "sometimes: it asks the clock"}
	assert.False(t, compare(real[:1], chance, all, false).surprises(), "it passed this time")
	assert.False(t, compare(real[:1], chance, finished(map[string]string{"api.A": "fail"}), false).surprises(), "it failed this time")

	some := compare(real, differs, finished(map[string]string{"api.A": "pass"}), true)
	assert.Equal(t, []string{"api.A"}, some.passed)
	assert.False(t, some.surprises(), "what was not to run is no surprise")
}

func TestThePrintedReportEndsWithTheCount(t *testing.T) {
	t.Parallel()
	v := verdict{
		passed:      []string{"api.A"},
		explained:   []difference{{"api.B", "no gossip"}},
		unexplained: []difference{{"api.Long", "failed"}},
		outdated:    []string{"api.A"},
	}
	var out strings.Builder
	require.NoError(t, v.print(&out, "consul/api", "/logs", 3))
	assert.Equal(t, `do not pass, with the reason that is listed:
  api.B  no gossip
do not pass, and no reason is listed (see /logs):
  api.Long  failed
pass, though listed not to:
  api.A
consul/api: 1 passed of 3
`, out.String())
}

func TestOutcomesAreReadFromTheEventsOfGoTest(t *testing.T) {
	t.Parallel()
	const events = `{"Action":"start","Package":"github.com/hashicorp/consul/api"}
{"Action":"run","Package":"github.com/hashicorp/consul/api","Test":"TestA"}
{"Action":"output","Package":"github.com/hashicorp/consul/api","Test":"TestA","Output":"hello\n"}
{"Action":"fail","Package":"github.com/hashicorp/consul/api","Test":"TestA/sub"}
{"Action":"fail","Package":"github.com/hashicorp/consul/api","Test":"TestA"}
{"Action":"pass","Package":"github.com/hashicorp/consul/api/watch","Test":"TestA"}
{"Action":"run","Package":"github.com/hashicorp/consul/api/watch","Test":"TestB"}
{"Action":"output","Package":"github.com/hashicorp/consul/api/watch","Test":"TestB","Output":"panic: nil\n"}
`
	all, err := readOutcomes(strings.NewReader(events))
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, "hello\nsubtest sub failed\n", all["api.TestA"].Output.String())
	assert.Equal(t, "failed", became(all["api.TestA"]))
	assert.Equal(t, "pass", all["watch.TestA"].Result)
	assert.Equal(t, "panicked, and ended the others", became(all["watch.TestB"]))

	_, err = readOutcomes(strings.NewReader(`{"Action":`))
	assert.Error(t, err)
}

func TestTheListsAgreeWithEachOther(t *testing.T) {
	t.Parallel()
	real, differs, err := Known{Tests: "api.A\napi.B\n", Differs: "# why\n\napi.B  no gossip\n"}.expectations()
	require.NoError(t, err)
	assert.Equal(t, []string{"api.A", "api.B"}, real)
	assert.Equal(t, map[string]string{"api.B": "no gossip"}, differs)

	for lists, says := range map[[2]string]string{
		{"api.A", "# why\n\napi.A"}:      "what differs, line 3: api.A has no reason",
		{"api.A", "api.B it is unknown"}: "what differs, line 1: api.B is no test that counts",
	} {
		_, _, err := Known{Tests: lists[0], Differs: lists[1]}.expectations()
		assert.EqualError(t, err, says)
	}
}

func TestWhatAPanicEndedIsRunAgain(t *testing.T) {
	t.Parallel()
	all := finished(map[string]string{"api.TestA": "pass", "api.TestB": "", "api.TestC": "", "watch.TestD": "fail"})
	all["api.TestC"].Output.WriteString("panic: nil\n")
	real := []string{"api.TestA", "api.TestB", "api.TestC", "watch.TestD", "watch.TestE"}
	assert.Equal(t, []string{"TestB", "TestE"}, all.unfinished(real, regexp.MustCompile("")))
	assert.Equal(t, []string{"TestE"}, all.unfinished(real, regexp.MustCompile("E")))
}
