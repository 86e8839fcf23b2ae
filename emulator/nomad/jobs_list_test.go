package nomad

import (
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed are the names of the jobs that a query lists, in the order in which they
// come, which the official client changes.
func listed(t testing.TB, n *Nomad, query string) (names []string) {
	t.Helper()
	var list []api.JobListStub
	get(t, n, "/v1/jobs?"+query, &list)
	for _, job := range list {
		names = append(names, job.ID)
	}
	return names
}

func TestJobsAreListed(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	_, err := c.Namespaces().Register(&api.Namespace{Name: "team"}, nil)
	require.NoError(t, err)
	theirs := mockJob("theirs", 1)
	theirs.Namespace = new("team")
	tagged := batchJob("batch", nil, nil)
	tagged.Meta = map[string]string{"owner": "me"}
	register(t, c, mockJob("web-1", 1), mockJob("web-2", 1), tagged, theirs)
	for _, test := range []struct {
		query string
		jobs  []string
	}{
		{"", []string{"batch", "web-1", "web-2"}},
		{"reverse=true", []string{"web-2", "web-1", "batch"}},
		{"prefix=web", []string{"web-1", "web-2"}},
		{"namespace=team", []string{"theirs"}},
		{"namespace=*", []string{"batch", "web-1", "web-2", "theirs"}},
		{"filter=Type==batch", []string{"batch"}},
		{"filter=Meta.owner==me", []string{"batch"}},
		{"per_page=1&next_token=default.web-1", []string{"web-1"}},
	} {
		t.Run(test.query, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.jobs, listed(t, n, test.query))
		})
	}
	_, meta, err := c.Jobs().List(&api.QueryOptions{PerPage: 1})
	require.NoError(t, err)
	assert.Equal(t, "default.web-1", meta.NextToken)
	list, _, err := c.Jobs().ListOptions(&api.JobListOptions{Fields: &api.JobListFields{Meta: true}}, nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"owner": "me"}, list[0].Meta)
}

func TestJobsAreToldAtAGlance(t *testing.T) {
	t.Parallel()
	n := start(t, oneNode())
	c := connect(t, n)
	register(t, c, mockJob("first", 1), batchJob("parent", nil, &api.ParameterizedJobConfig{}))
	running(t, c, "first", 1)
	untilDeployment(t, c, "first", api.DeploymentStatusSuccessful)
	_, _, err := c.Jobs().Dispatch("parent", nil, nil, "", nil)
	require.NoError(t, err)
	statuses := map[string]jobStatus{}
	for path := "/v1/jobs/statuses?per_page=1"; path != ""; {
		var page []jobStatus
		answer := get(t, n, path, &page)
		require.Len(t, page, 1)
		statuses[page[0].ID] = page[0]
		if path = ""; answer.Header.Get("X-Nomad-NextToken") != "" {
			path = "/v1/jobs/statuses?per_page=1&next_token=" + answer.Header.Get("X-Nomad-NextToken")
		}
	}
	require.Len(t, statuses, 2, "without the one that was launched")
	require.Len(t, statuses["first"].Allocs, 1)
	assert.Equal(t, "running", statuses["first"].Allocs[0].ClientStatus)
	assert.Equal(t, "successful", statuses["first"].LatestDeployment.Status)
	assert.Len(t, statuses["parent"].ChildStatuses, 1)

	status, text := ask(t, n, "", http.MethodPost, "/v1/jobs/statuses", api.JobStatusesRequest{Jobs: []api.NamespacedID{{ID: "first"}, {ID: "none"}}})
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, `"ID":"first"`)
	assert.NotContains(t, text, `"ID":"parent"`)
}

// TestReadingAJobWaitsForItsChange asks for each thing there is to read of a job,
// after it has been read.
func TestReadingAJobWaitsForItsChange(t *testing.T) {
	t.Parallel()
	n := start(t, oneNode())
	c := connect(t, n)
	register(t, c, scaledJob("web", 1))
	running(t, c, "web", 1)
	untilDeployment(t, c, "web", api.DeploymentStatusSuccessful)
	paths := []string{
		"/v1/jobs?x", "/v1/jobs/statuses?x", "/v1/job/web?x", "/v1/job/web/versions?x", "/v1/job/web/summary?x", "/v1/job/web/scale?x",
		"/v1/job/web/allocations?x", "/v1/job/web/evaluations?x", "/v1/job/web/deployments?x", "/v1/job/web/deployment?x", "/v1/scaling/policies?x",
	}
	changed := make(chan string, len(paths))
	for _, path := range paths {
		index := get(t, n, path, nil).Header.Get("X-Nomad-Index")
		go func() {
			answer := get(t, n, path+"&wait=5m&index="+index, nil)
			assert.NotEqual(t, index, answer.Header.Get("X-Nomad-Index"), path)
			changed <- path
		}()
	}
	job := scaledJob("web", 2)
	job.TaskGroups[0].Scaling.Max = new(int64(11))
	register(t, c, job)
	waiting := map[string]bool{}
	for _, path := range paths {
		waiting[path] = true
	}
	deadline := time.After(patience)
	for len(waiting) > 0 {
		select {
		case path := <-changed:
			delete(waiting, path)
		case <-deadline:
			require.Fail(t, "still waiting", "%v", waiting)
		}
	}
}
