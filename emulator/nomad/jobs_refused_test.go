package nomad

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

// batchJob is a job that ends, with what it launches others by.
func batchJob(id string, periodic *api.PeriodicConfig, parameterized *api.ParameterizedJobConfig) *api.Job {
	job := mockJob(id, 1)
	job.Type, job.Periodic, job.ParameterizedJob = new(api.JobTypeBatch), periodic, parameterized
	job.TaskGroups[0].Update = nil
	job.TaskGroups[0].Tasks[0].SetConfig("run_for", "10ms")
	return job
}

// register registers jobs.
func register(t testing.TB, c *api.Client, list ...*api.Job) {
	t.Helper()
	for _, job := range list {
		_, _, err := c.Jobs().Register(job, nil)
		require.NoError(t, err)
	}
}

type fields = map[string]any

// TestJobsAreRefusedInTheWordsOfTheRealProgram has its answers, which were asked
// of it.
func TestJobsAreRefusedInTheWordsOfTheRealProgram(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	scaled := mockJob("scaled", 2)
	scaled.TaskGroups[0].Scaling = &api.ScalingPolicy{Min: new(int64(1)), Max: new(int64(5))}
	register(t, c, mockJob("web", 2), scaled,
		batchJob("periodic", &api.PeriodicConfig{Specs: []string{"@daily"}}, nil),
		batchJob("parameterized", nil, &api.ParameterizedJobConfig{}))
	web, group := fields{"ID": "web", "TaskGroups": []any{}}, fields{"Group": "group"}
	const (
		get, put, post, del          = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
		bad, unknown, broken, method = http.StatusBadRequest, http.StatusNotFound, http.StatusInternalServerError, http.StatusMethodNotAllowed
	)
	for _, refused := range []refusal{
		{put, "/v1/jobs", "", bad, "Request body is empty"},
		{put, "/v1/jobs", "{", bad, "unexpected EOF"},
		{put, "/v1/jobs", fields{}, bad, "Job must be specified"},
		{put, "/v1/jobs", fields{"Job": fields{}}, bad, "Job ID hasn't been provided"},
		{put, "/v1/jobs", fields{"Job": web}, broken, "1 error occurred:\n\t* Missing job task groups\n\n"},
		{put, "/v1/jobs", fields{"Job": web, "EvalPriority": 101}, bad, "Eval priority must be between 1 and 100 inclusively"},
		{put, "/v1/jobs", fields{"Job": fields{"ID": "web", "Region": "nowhere"}}, broken, "No path to region"},
		{put, "/v1/job/other", fields{"Job": web}, bad, "Job ID does not match name"},
		{del, "/v1/jobs", nil, method, "Invalid method"},
		{put, "/v1/jobs/parse", fields{}, bad, "Job spec is empty"},
		{get, "/v1/jobs/parse", nil, method, "Invalid method"},
		{put, "/v1/validate/job", fields{}, bad, "Job must be specified"},
		{put, "/v1/job/web/plan", fields{}, bad, "Job must be specified"},
		{put, "/v1/job/web/plan", fields{"Job": fields{"Name": "x"}}, bad, "Job must have a valid ID"},
		{put, "/v1/job/other/plan", fields{"Job": web}, bad, "Job ID does not match"},
		{get, "/v1/job/none", nil, unknown, "job not found"},
		{get, "/v1/job/none/summary", nil, unknown, "job not found"},
		{get, "/v1/job/none/services", nil, unknown, "job not found"},
		{get, "/v1/job/none/scale", nil, unknown, "job not found"},
		{get, "/v1/job/none/versions", nil, unknown, "job versions not found"},
		{get, "/v1/job/none/actions", nil, broken, `Unknown job "none"`},
		{get, "/v1/job/web/versions?diffs=x", nil, broken, `Failed to parse value of "diffs" (x) as a bool: strconv.ParseBool: parsing "x": invalid syntax`},
		{get, "/v1/job/web/versions?diff_version=x&diffs=true", nil, broken, `Failed to parse value of "diff_version" (x) as a uint64: strconv.ParseUint: parsing "x": invalid syntax`},
		{get, "/v1/job/web/versions?diff_version=9&diffs=true", nil, broken, "version 9 not found"},
		{get, "/v1/job/web/versions?diff_tag=nope&diffs=true", nil, broken, `tag "nope" not found`},
		{put, "/v1/job/web/versions/x/tag", nil, bad, "Request body is empty"},
		{put, "/v1/job/web/versions/x/tag", fields{"Version": 99}, broken, `job "web" version 99 not found`},
		{del, "/v1/job/web/versions/x/tag", nil, broken, `tag "x" not found on job "web"`},
		{get, "/v1/job/web/versions/x/tag", nil, method, "Invalid method"},
		{get, "/v1/job/web/submission", nil, bad, "Unable to parse job submission version parameter"},
		{get, "/v1/job/web/submission?version=0", nil, unknown, "job source not found"},
		{put, "/v1/job/web/revert", fields{}, bad, "JobID must be specified"},
		{put, "/v1/job/web/revert", fields{"JobID": "x"}, bad, "Job ID does not match"},
		{put, "/v1/job/web/revert", fields{"JobID": "web"}, broken, "can't revert to current version"},
		{put, "/v1/job/web/revert", fields{"JobID": "web", "JobVersion": 99}, broken, `job "web" in namespace "default" at version 99 not found`},
		{put, "/v1/job/web/revert", fields{"JobID": "web", "JobVersion": 5, "EnforcePriorVersion": 7}, broken, "Current job has version 0; enforcing version 7"},
		{put, "/v1/job/none/revert", fields{"JobID": "none"}, broken, `job "none" not found`},
		{put, "/v1/job/web/stable", fields{}, bad, "JobID must be specified"},
		{put, "/v1/job/web/stable", fields{"JobID": "web", "JobVersion": 99}, broken, `job "web" in namespace "default" at version 99 not found`},
		{put, "/v1/job/web/evaluate", fields{}, bad, "Job ID must be specified"},
		{put, "/v1/job/web/evaluate", fields{"JobID": "x"}, bad, "JobID not same as job name"},
		{put, "/v1/job/none/evaluate", nil, broken, "job not found"},
		{put, "/v1/job/periodic/evaluate", nil, broken, "can't evaluate periodic job"},
		{put, "/v1/job/parameterized/evaluate", nil, broken, "can't evaluate parameterized job"},
		{put, "/v1/job/web/dispatch", fields{}, broken, `Specified job "web" is not a parameterized job`},
		{put, "/v1/job/none/dispatch", fields{}, broken, "parameterized job not found"},
		{put, "/v1/job/web/dispatch", fields{"JobID": "x"}, bad, "Job ID does not match"},
		{put, "/v1/job/web/dispatch", fields{"Payload": "@@"}, bad, "illegal base64 data at input byte 0"},
		{put, "/v1/job/parameterized/dispatch", fields{"Meta": fields{"a": "b"}}, broken, "Dispatch request included unpermitted metadata keys: [a]"},
		{put, "/v1/job/web/periodic/force", nil, broken, "can't force launch non-periodic job"},
		{put, "/v1/job/none/periodic/force", nil, broken, "job not found"},
		{get, "/v1/job/periodic/periodic/force", nil, method, "Invalid method"},
		{put, "/v1/job/scaled/scale", fields{"Count": 1}, bad, "missing task group name for scaling action"},
		{put, "/v1/job/scaled/scale", fields{"Target": fields{"Group": "x"}, "Count": 1}, bad, `task group "x" specified for scaling does not exist in job`},
		{put, "/v1/job/scaled/scale", fields{"Target": group, "Count": -1}, bad, "scaling action count can't be negative"},
		{put, "/v1/job/scaled/scale", fields{"Target": group, "Count": 9}, bad, "group count was greater than scaling policy maximum: 9 > 5"},
		{put, "/v1/job/scaled/scale", fields{"Target": group, "Count": 0}, bad, "group count was less than scaling policy minimum: 0 < 1"},
		{put, "/v1/job/scaled/scale", fields{"Target": group, "Count": 2, "Error": true}, bad, "scaling action should not contain count if error is true"},
		{put, "/v1/job/none/scale", fields{"Target": group, "Count": 2}, unknown, `job "none" not found`},
		{get, "/v1/scaling/policy/none", nil, unknown, "policy not found"},
		{get, "/v1/jobs?meta=x", nil, broken, `Failed to parse value of "meta" (x) as a bool: strconv.ParseBool: parsing "x": invalid syntax`},
		{get, "/v1/jobs?per_page=x", nil, bad, "Expect a number for `per_page` query string parameter"},
		{get, "/v1/jobs/statuses?filter=" + "nope==1", nil, broken, `failed to read result page: error finding value in datum: /nope at part 0: couldn't find key: struct field with name "nope"`},
		{post, "/v1/jobs/statuses", "{", bad, "error decoding request: unexpected EOF"},
		{put, "/v1/jobs/statuses", fields{}, method, "Invalid method"},
		{del, "/v1/job/web?purge=x", nil, broken, `Failed to parse value of "purge" (x) as a bool: strconv.ParseBool: parsing "x": invalid syntax`},
		{del, "/v1/job/web?eval_priority=x", nil, broken, `Failed to parse value of "eval_priority" (x) as a int: strconv.Atoi: parsing "x": invalid syntax`},
		{del, "/v1/job/web?eval_priority=500", nil, bad, "Eval priority must be between 1 and 100 inclusively"},
		{del, "/v1/job/", nil, broken, "missing job ID for deregistering"},
	} {
		refused.check(t, n, "")
	}
}

func TestWhoMayDoWhatWithJobs(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	register(t, root, mockJob("web", 1), batchJob("parameterized", nil, &api.ParameterizedJobConfig{}))
	reader := holding(t, root, `namespace "default" { capabilities = ["list-jobs", "read-job"] }`)
	group := fields{"Group": "group"}
	for _, call := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPut, "/v1/jobs", fields{"Job": fields{"ID": "web"}}},
		{http.MethodPut, "/v1/job/web/plan", fields{"Job": fields{"ID": "web"}}},
		{http.MethodPut, "/v1/jobs/parse", fields{"JobHCL": `job "a" {}`}},
		{http.MethodDelete, "/v1/job/web", nil},
		{http.MethodPut, "/v1/job/web/revert", fields{"JobID": "web"}},
		{http.MethodPut, "/v1/job/web/stable", fields{"JobID": "web"}},
		{http.MethodPut, "/v1/job/web/versions/a/tag", fields{}},
		{http.MethodDelete, "/v1/job/web/versions/a/tag", nil},
		{http.MethodPut, "/v1/job/web/scale", fields{"Target": group, "Count": 1}},
		{http.MethodPut, "/v1/job/web/periodic/force", nil},
		{http.MethodPut, "/v1/job/parameterized/dispatch", fields{}},
	} {
		refusal{call.method, call.path, call.body, http.StatusForbidden, "Permission denied"}.check(t, n, reader)
	}
	reads := []string{
		"/v1/jobs", "/v1/jobs/statuses", "/v1/job/web", "/v1/job/web/versions", "/v1/job/web/scale", "/v1/job/web/summary",
		"/v1/job/web/services", "/v1/job/web/actions", "/v1/scaling/policies",
	}
	for _, path := range reads {
		status, text := ask(t, n, reader, http.MethodGet, path, nil)
		require.Equal(t, http.StatusOK, status, "%s: %s", path, text)
	}
}

// TestADispatcherNeedsToReadNothing goes with TestWhoMayDoWhatWithJobs.
func TestADispatcherNeedsToReadNothing(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	register(t, root, batchJob("parameterized", nil, &api.ParameterizedJobConfig{}))
	dispatcher := holding(t, root, `namespace "default" { capabilities = ["dispatch-job"] }`)
	for _, path := range []string{"/v1/job/parameterized", "/v1/job/parameterized/versions", "/v1/job/parameterized/scale"} {
		refusal{http.MethodGet, path, nil, http.StatusForbidden, "Permission denied"}.check(t, n, dispatcher)
	}
	status, text := ask(t, n, dispatcher, http.MethodPut, "/v1/job/parameterized/dispatch", fields{})
	require.Equal(t, http.StatusOK, status, text)
	require.True(t, strings.Contains(text, "parameterized/dispatch-"), text)
}
