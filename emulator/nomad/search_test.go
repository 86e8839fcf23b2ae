package nomad

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/api/contexts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// searchable is a region with one of each kind of things.
func searchable(t *testing.T) (*Nomad, *api.Client) {
	t.Helper()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "gorilla", ID: "aaaaaaaa-67aa-3dad-f269-020f644e8aba"}}}}})
	c := connect(t, n)
	job := mockJob("scaled", 1)
	job.TaskGroups[0].Name = new("gopher")
	job.TaskGroups[0].Services = []*api.Service{{Name: "golden", Provider: "nomad"}}
	job.TaskGroups[0].Scaling = &api.ScalingPolicy{Enabled: new(true), Min: new(int64(1)), Max: new(int64(3))}
	job.TaskGroups[0].Tasks[0].Name = "goat"
	programs := mockJob("programs", 0)
	programs.TaskGroups[0].Tasks[0].Config["command"] = "/bin/go"
	for _, j := range []*api.Job{job, programs} {
		_, _, err := c.Jobs().Register(j, nil)
		require.NoError(t, err)
	}
	running(t, c, "scaled", 1)
	_, err := c.Namespaces().Register(&api.Namespace{Name: "other"}, nil)
	require.NoError(t, err)
	for _, v := range []api.Variable{{Namespace: "default", Path: "go/lang"}, {Namespace: "default", Path: "nomad/jobs/gone"}, {Namespace: "other", Path: "go/other"}} {
		v.Items = map[string]string{"a": "b"}
		_, _, err := c.Variables().Create(&v, &api.WriteOptions{Namespace: v.Namespace})
		require.NoError(t, err)
	}
	madeVolume(t, c, api.HostVolume{Name: "golf"})
	return n, c
}

func TestPrefixesAreSearched(t *testing.T) {
	t.Parallel()
	_, c := searchable(t)
	allocation := running(t, c, "scaled", 1)[0]
	volumes, _, err := c.HostVolumes().List(nil, nil)
	require.NoError(t, err)
	policies, _, err := c.Scaling().ListPolicies(nil)
	require.NoError(t, err)
	for _, test := range []struct {
		prefix  string
		context contexts.Context
		want    map[contexts.Context][]string
	}{
		{"sc", contexts.Jobs, map[contexts.Context][]string{contexts.Jobs: {"scaled"}}},
		{"none", contexts.Jobs, map[contexts.Context][]string{contexts.Jobs: nil}},
		{allocation.ID[:6], contexts.Allocs, map[contexts.Context][]string{contexts.Allocs: {allocation.ID}}},
		{allocation.EvalID, contexts.Evals, map[contexts.Context][]string{contexts.Evals: {allocation.EvalID}}},
		{"not hexadecimal", contexts.Evals, map[contexts.Context][]string{}},
		{"aaaa", contexts.Nodes, map[contexts.Context][]string{contexts.Nodes: {"aaaaaaaa-67aa-3dad-f269-020f644e8aba"}}},
		{"d", contexts.NodePools, map[contexts.Context][]string{contexts.NodePools: {"default"}}},
		{"", contexts.Namespaces, map[contexts.Context][]string{contexts.Namespaces: {"default", "other"}}},
		{"go", contexts.Variables, map[contexts.Context][]string{contexts.Variables: {"go/lang", "go/other"}}},
		{policies[0].ID[:4], contexts.ScalingPolicies, map[contexts.Context][]string{contexts.ScalingPolicies: {policies[0].ID}}},
		{volumes[0].ID[:7], contexts.HostVolumes, map[contexts.Context][]string{contexts.HostVolumes: {volumes[0].ID}}},
		{"", contexts.Volumes, map[contexts.Context][]string{contexts.Volumes: nil}},
		{"", contexts.Plugins, map[contexts.Context][]string{contexts.Plugins: nil}},
		{"go", contexts.All, map[contexts.Context][]string{
			contexts.Variables: {"go/lang", "go/other"}, contexts.NodePools: nil, contexts.Plugins: nil, contexts.Volumes: nil,
			contexts.ScalingPolicies: nil, contexts.Namespaces: nil, contexts.HostVolumes: nil, contexts.Jobs: nil,
		}},
	} {
		answer, _, err := c.Search().PrefixSearch(test.prefix, test.context, nil)
		require.NoError(t, err, "%s %s", test.context, test.prefix)
		assert.Equal(t, test.want, answer.Matches, "%s %s", test.context, test.prefix)
		assert.Len(t, answer.Truncations, len(test.want))
	}
}

func TestNamesAreSearched(t *testing.T) {
	t.Parallel()
	_, c := searchable(t)
	allocation := running(t, c, "scaled", 1)[0]
	parts := map[contexts.Context][]api.FuzzyMatch{
		contexts.Groups:   {{ID: "gopher", Scope: []string{"default", "scaled"}}},
		contexts.Services: {{ID: "golden", Scope: []string{"default", "scaled", "gopher"}}},
		contexts.Tasks:    {{ID: "goat", Scope: []string{"default", "scaled", "gopher"}}},
		contexts.Commands: {{ID: "/bin/go", Scope: []string{"default", "programs", "group", "task"}}},
	}
	variables := []api.FuzzyMatch{
		{ID: "go/lang", Scope: []string{"default", "go/lang"}}, {ID: "nomad/jobs/gone", Scope: []string{"default", "nomad/jobs/gone"}},
	}
	everything := map[contexts.Context][]api.FuzzyMatch{
		contexts.Allocs:    {{ID: "scaled.gopher[0]", Scope: []string{"default", allocation.ID}}},
		contexts.Nodes:     {{ID: "gorilla", Scope: []string{"aaaaaaaa-67aa-3dad-f269-020f644e8aba"}}},
		contexts.Variables: variables,
		contexts.Evals:     {}, contexts.Deployments: {}, contexts.Volumes: {}, contexts.ScalingPolicies: {}, contexts.HostVolumes: {},
	}
	for in, matches := range parts {
		everything[in] = matches
	}
	for _, test := range []struct {
		text    string
		context contexts.Context
		options *api.QueryOptions
		want    map[contexts.Context][]api.FuzzyMatch
	}{
		{"GO", contexts.Jobs, nil, parts},
		{"go", contexts.All, nil, everything},
		{"go", contexts.Variables, nil, map[contexts.Context][]api.FuzzyMatch{contexts.Variables: variables}},
		{"other", contexts.Variables, &api.QueryOptions{Namespace: "*"}, map[contexts.Context][]api.FuzzyMatch{
			contexts.Variables: {{ID: "go/other", Scope: []string{"other", "go/other"}}},
		}},
		{allocation.EvalID[:8], contexts.Evals, nil, map[contexts.Context][]api.FuzzyMatch{contexts.Evals: {{ID: allocation.EvalID}}}},
		{"other", contexts.Namespaces, nil, map[contexts.Context][]api.FuzzyMatch{contexts.Namespaces: {{ID: "other"}}}},
		{"fau", contexts.NodePools, nil, map[contexts.Context][]api.FuzzyMatch{contexts.NodePools: {{ID: "default", Scope: []string{"default"}}}}},
		{"nothing", contexts.Plugins, nil, map[contexts.Context][]api.FuzzyMatch{}},
	} {
		answer, _, err := c.Search().FuzzySearch(test.text, test.context, test.options)
		require.NoError(t, err, "%s %s", test.context, test.text)
		assert.Equal(t, test.want, answer.Matches, "%s %s", test.context, test.text)
	}
}

func TestLongListsAreTruncated(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	for i := range 2*maxMatches + maxFuzzy {
		_, err := c.Namespaces().Register(&api.Namespace{Name: fmt.Sprintf("many-%03d", i)}, nil)
		require.NoError(t, err)
	}
	prefixed, _, err := c.Search().PrefixSearch("many", contexts.Namespaces, nil)
	require.NoError(t, err)
	assert.Len(t, prefixed.Matches[contexts.Namespaces], maxMatches)
	assert.True(t, prefixed.Truncations[contexts.Namespaces])
	named, _, err := c.Search().FuzzySearch("any-", contexts.Namespaces, nil)
	require.NoError(t, err)
	assert.Len(t, named.Matches[contexts.Namespaces], maxFuzzy)
	assert.True(t, named.Truncations[contexts.Namespaces])
}

func TestWhatIsNoSearchIsRefused(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	const known = "context must be one of [allocs jobs nodes node_pools evals deployment plugins volumes scaling_policy vars namespaces host_volumes] " +
		"or 'all' for all contexts; got "
	_, _, err := c.Search().PrefixSearch("a", "groups", nil)
	assert.ErrorContains(t, err, known+`"groups"`)
	_, _, err = c.Search().FuzzySearch("ab", "", nil)
	assert.ErrorContains(t, err, known+`""`)
	_, _, err = c.Search().FuzzySearch("a", contexts.Jobs, nil)
	assert.ErrorContains(t, err, "fuzzy search query must be at least 2 characters, got 1")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, n.URL("global")+"/v1/search", strings.NewReader("{"))
	require.NoError(t, err)
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
	require.NoError(t, answer.Body.Close())
}

func TestOnlyWhatOneMayReadIsFound(t *testing.T) {
	t.Parallel()
	n := start(t, Options{ACL: true, Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	management := connect(t, n)
	_, _, err := management.Search().PrefixSearch("", contexts.All, nil)
	assert.ErrorContains(t, err, "Permission denied")
	bootstrapped, _, err := management.ACLTokens().Bootstrap(nil)
	require.NoError(t, err)
	management.SetSecretID(bootstrapped.SecretID)
	_, err = management.ACLPolicies().Upsert(&api.ACLPolicy{Name: "reads", Rules: `namespace "default" {
		policy = "read"
		variables { path "open/*" { capabilities = ["list"] } }
	}`}, nil)
	require.NoError(t, err)
	token, _, err := management.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"reads"}}, nil)
	require.NoError(t, err)
	for _, path := range []string{"open/a", "secret/a"} {
		_, _, err := management.Variables().Create(&api.Variable{Path: path, Items: map[string]string{"a": "b"}}, nil)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		nodes, _, err := management.Nodes().List(nil)
		return err == nil && len(nodes) == 1
	}, patience, 10*time.Millisecond)
	reader := connect(t, n)
	reader.SetSecretID(token.SecretID)
	answer, _, err := reader.Search().PrefixSearch("", contexts.All, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"open/a"}, answer.Matches[contexts.Variables])
	assert.NotContains(t, answer.Matches, contexts.Nodes)
	assert.Contains(t, answer.Matches, contexts.Jobs)
}
