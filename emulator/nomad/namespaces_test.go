package nomad

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestNamespaces(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{}, {Name: "west"}}})
	c := connect(t, n)
	for _, name := range []string{"foobbb", "fooaaa"} {
		meta, err := c.Namespaces().Register(&api.Namespace{Name: name, Description: "d", Meta: map[string]string{"a": "b"}}, nil)
		require.NoError(t, err)
		assert.NotZero(t, meta.LastIndex)
	}
	names := func(q *api.QueryOptions) []string {
		list, _, err := c.Namespaces().List(q)
		require.NoError(t, err)
		var names []string
		for _, n := range list {
			names = append(names, n.Name)
		}
		return names
	}
	assert.Equal(t, []string{"default"}, names(&api.QueryOptions{Prefix: "d"}))
	assert.ElementsMatch(t, []string{"default", "fooaaa", "foobbb"}, names(nil))
	assert.Equal(t, []string{"foobbb"}, names(&api.QueryOptions{Prefix: "foob"}))
	assert.Len(t, names(&api.QueryOptions{Region: "west"}), 3, "namespaces are those of all regions")
	info, _, err := c.Namespaces().Info("fooaaa", nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "b"}, info.Meta)
	_, err = c.Namespaces().Delete("fooaaa", nil)
	require.NoError(t, err)
	assert.Len(t, names(&api.QueryOptions{Region: "west"}), 2)
}

func TestNamespacesThatAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	put := func(body api.Namespace, text string) refusal {
		return refusal{http.MethodPut, "/v1/namespace", body, 500, text}
	}
	for _, r := range []refusal{
		put(api.Namespace{Name: "*"}, "Invalid namespace \"*\": 1 error occurred:\n\t* invalid name \"*\". Must match regex ^[a-zA-Z0-9-]{1,128}$\n\n"),
		put(api.Namespace{Name: "a b", Description: strings.Repeat("d", 257)},
			"Invalid namespace \"a b\": 2 errors occurred:\n\t* invalid name \"a b\". Must match regex ^[a-zA-Z0-9-]{1,128}$\n\t* description longer than 256\n\n"),
		put(api.Namespace{Name: "q", Quota: "foo"}, `namespace "q" using non-existent quota "foo"`),
		put(api.Namespace{Name: "q", NodePoolConfiguration: &api.NamespaceNodePoolConfiguration{Default: "x"}},
			"Invalid namespace \"q\": 1 error occurred:\n\t* invalid node pool configuration: Node Pools Governance is unlicensed.\n\n"),
		put(api.Namespace{Name: "q", VaultConfiguration: &api.NamespaceVaultConfiguration{}},
			"Invalid namespace \"q\": 1 error occurred:\n\t* invalid vault configuration: Multi-Cluster Vault is unlicensed.\n\n"),
		put(api.Namespace{Name: "q", ConsulConfiguration: &api.NamespaceConsulConfiguration{}},
			"Invalid namespace \"q\": 1 error occurred:\n\t* invalid consul configuration: Multi-Cluster Consul is unlicensed.\n\n"),
		{http.MethodPut, "/v1/namespace", nil, 400, "Request body is empty"},
		{http.MethodPut, "/v1/namespace/a", api.Namespace{Name: "b"}, 400, "Namespace name does not match request path"},
		{http.MethodGet, "/v1/namespace/dummy", nil, 404, "Namespace not found"},
		{http.MethodGet, "/v1/namespace/", nil, 400, "Missing Namespace Name"},
		{http.MethodDelete, "/v1/namespace/default", nil, 500, "can not delete default namespace"},
		{http.MethodDelete, "/v1/namespace/nope", nil, 500, "namespace not found"},
	} {
		r.check(t, n, "")
	}
}

func TestNamespacesAndPoolsInUseStay(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	_, err := c.Namespaces().Register(&api.Namespace{Name: "full"}, nil)
	require.NoError(t, err)
	_, err = c.NodePools().Register(&api.NodePool{Name: "full"}, nil)
	require.NoError(t, err)
	a := runs(t, n, "full", "j")
	pool := "full"
	require.NoError(t, n.regions[0].store.Write(func(tx *state.Tx) error {
		tx.UpdateJob(tx.Job("full", "j"), func(j *api.Job) { j.NodePool = &pool })
		tx.UpsertNode(&state.Node{Node: api.Node{ID: "n", NodePool: "full"}})
		return nil
	}))
	for _, r := range []refusal{
		{http.MethodDelete, "/v1/namespace/full", nil, 500, "2 errors occurred:\n\t* namespace \"full\" has non-terminal jobs in regions: [global]\n\t* namespace \"full\" has non-terminal allocations in regions: [global]\n\n"},
		{http.MethodDelete, "/v1/node/pool/full", nil, 500, "2 errors occurred:\n\t* node pool \"full\" has non-terminal jobs in regions: [global]\n\t* node pool \"full\" has nodes in regions: [global]\n\n"},
	} {
		r.check(t, n, "")
	}
	jobs, _, err := c.NodePools().ListJobs("full", &api.QueryOptions{Namespace: "*"})
	require.NoError(t, err)
	assert.Len(t, jobs, 1)
	jobs, _, err = c.NodePools().ListJobs("default", &api.QueryOptions{Namespace: "*"})
	require.NoError(t, err)
	assert.Empty(t, jobs)
	require.NoError(t, n.regions[0].store.Write(func(tx *state.Tx) error {
		tx.UpdateAllocation(a, func(a *state.Allocation) { a.ClientStatus = api.AllocClientStatusComplete })
		return nil
	}))
	_, _, err = c.Variables().Create(&api.Variable{Namespace: "full", Path: "a", Items: api.VariableItems{"k": "v"}}, nil)
	require.NoError(t, err)
	refusal{http.MethodDelete, "/v1/namespace/full", nil, 500, "1 error occurred:\n\t* namespace \"full\" has variables associated with it in regions: [global]\n\n"}.check(t, n, "")
	_, err = c.Variables().Delete("a", &api.WriteOptions{Namespace: "full"})
	require.NoError(t, err)
	_, err = c.Namespaces().Delete("full", nil)
	assert.NoError(t, err)
}

func TestWhoSeesNamespacesAndPools(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	for _, name := range []string{"mine", "yours"} {
		_, err := root.Namespaces().Register(&api.Namespace{Name: name}, nil)
		require.NoError(t, err)
	}
	secret := holding(t, root, `
		namespace "mine" { capabilities = ["list-jobs"] }
		namespace "yours" { variables { path "*" { capabilities = ["read"] } } }
		node_pool "def*" { policy = "write" }`)
	c := withToken(t, n, secret)
	list, _, err := c.Namespaces().List(nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "mine", list[0].Name)
	pools, _, err := c.NodePools().List(nil)
	require.NoError(t, err)
	require.Len(t, pools, 1)
	assert.Equal(t, "default", pools[0].Name)
	for _, r := range []refusal{
		{http.MethodGet, "/v1/namespace/yours", nil, 403, "Permission denied"},
		{http.MethodPut, "/v1/namespace", api.Namespace{Name: "mine"}, 403, "Permission denied"},
		{http.MethodDelete, "/v1/namespace/mine", nil, 403, "Permission denied"},
		{http.MethodGet, "/v1/node/pool/all", nil, 403, "Permission denied"},
		{http.MethodGet, "/v1/node/pool/def", nil, 404, "node pool not found"},
		{http.MethodGet, "/v1/node/pool/default/nodes", nil, 403, "Permission denied"},
		{http.MethodPut, "/v1/node/pools", map[string]string{"Name": "x"}, 403, "Permission denied"},
		{http.MethodDelete, "/v1/node/pool/x", nil, 403, "Permission denied"},
	} {
		r.check(t, n, secret)
	}
	_, err = c.NodePools().Register(&api.NodePool{Name: "def"}, nil)
	assert.NoError(t, err)
}

func TestNodePools(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	pools, meta, err := c.NodePools().List(&api.QueryOptions{PerPage: 1})
	require.NoError(t, err)
	require.Len(t, pools, 1)
	assert.Equal(t, "all", pools[0].Name)
	assert.Equal(t, "default", meta.NextToken)
	_, err = c.NodePools().Register(&api.NodePool{Name: "dev-1", NodeIdentityTTL: time.Hour, Meta: map[string]string{"a": "b"}}, nil)
	require.NoError(t, err)
	pools, _, err = c.NodePools().PrefixList("d", nil)
	require.NoError(t, err)
	assert.Len(t, pools, 2)
	info, _, err := c.NodePools().Info("dev-1", nil)
	require.NoError(t, err)
	assert.Equal(t, time.Hour, info.NodeIdentityTTL)
	require.NoError(t, n.regions[0].RegisterNode(&api.Node{ID: "00000000-0000-0000-0000-0000000000b2", NodePool: "dev-1"}, "s"))
	nodes, _, err := c.NodePools().ListNodes("dev-1", nil)
	require.NoError(t, err)
	assert.Len(t, nodes, 1)
	nodes, _, err = c.NodePools().ListNodes("nope", nil)
	require.NoError(t, err)
	assert.Empty(t, nodes)
	for _, r := range []refusal{
		{http.MethodGet, "/v1/node/pool/node%2Fpool", nil, 404, "node pool not found"},
		{http.MethodGet, "/v1/node/pool/", nil, 404, "node pool not found"},
		{http.MethodDelete, "/v1/node/pool/node%2Fpool", nil, 500, "node pool node/pool not found"},
		{http.MethodDelete, "/v1/node/pool/all", nil, 500, `deleting node pool "all" is not allowed`},
		{http.MethodDelete, "/v1/node/pool/", nil, 400, "node pool name is empty"},
		{http.MethodPut, "/v1/node/pools", nil, 400, "Request body is empty"},
		{http.MethodPut, "/v1/node/pools", map[string]string{"Name": "a.b"}, 400, "invalid node pool \"a.b\": 1 error occurred:\n\t* invalid name \"a.b\", must match regex ^[a-zA-Z0-9-_]{1,128}$\n\n"},
		{http.MethodPut, "/v1/node/pools", map[string]string{"Name": "default"}, 400, `modifying node pool "default" is not allowed`},
		{http.MethodPut, "/v1/node/pools", map[string]any{"Name": "x", "SchedulerConfiguration": map[string]any{}}, 500, `Feature "Node Pools Governance" is unlicensed`},
		{http.MethodPut, "/v1/node/pool/x", map[string]string{"Name": "y"}, 400, "Node pool name does not match request path"},
	} {
		r.check(t, n, "")
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	runs(t, n, "default", "j")
	require.NoError(t, n.regions[0].RegisterServices([]*api.ServiceRegistration{
		{ID: "s2", ServiceName: "web", Namespace: "default", Tags: []string{"b", "c"}},
		{ID: "s3", ServiceName: "web", Namespace: "other"},
		{ID: "s4", ServiceName: "db", Namespace: "default", Tags: []string{}},
	}))
	list, _, err := root.Services().List(nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, []*api.ServiceRegistrationStub{
		{ServiceName: "db", Tags: []string{}}, {ServiceName: "web", Tags: []string{"a", "b", "c"}},
	}, list[0].Services)
	list, _, err = root.Services().List(&api.QueryOptions{Namespace: "*"})
	require.NoError(t, err)
	assert.Len(t, list, 2)
	web, _, err := root.Services().Get("web", nil)
	require.NoError(t, err)
	assert.Len(t, web, 2)
	web, _, err = root.Services().Get("web", &api.QueryOptions{Filter: `ID == "s2"`})
	require.NoError(t, err)
	assert.Len(t, web, 1)
	chosen := func(choose string) string {
		status, text := ask(t, n, rootSecret, http.MethodGet, "/v1/service/web?choose="+choose, nil)
		assert.Equal(t, 200, status, text)
		return text
	}
	assert.Equal(t, chosen("1%7Ckey"), chosen("1%7Ckey"))
	assert.Equal(t, "[]", chosen("0%7Ckey"))
	assert.Equal(t, 2, strings.Count(chosen("5%7Ca%7Cb"), "AllocID"))
	for _, choose := range []string{"1", "x%7Ca", "-1%7Ca"} {
		refusal{http.MethodGet, "/v1/service/web?choose=" + choose, nil, 400,
			"failed to choose services: Parameter for choose must be in form '<number>|<key>'"}.check(t, n, rootSecret)
	}
	refusal{http.MethodGet, "/v1/service/", nil, 400, "missing service name"}.check(t, n, rootSecret)
	refusal{http.MethodDelete, "/v1/service/web/nope", nil, 500, "service registration not found"}.check(t, n, rootSecret)

	reader := holding(t, root, `namespace "default" { capabilities = ["read-job"] }`)
	list, _, err = withToken(t, n, reader).Services().List(&api.QueryOptions{Namespace: "*"})
	require.NoError(t, err)
	assert.Len(t, list, 1)
	refusal{http.MethodDelete, "/v1/service/web/s2", nil, 403, "Permission denied"}.check(t, n, reader)
	_, err = root.Services().Delete("web", "s2", nil)
	require.NoError(t, err)
}

func TestWhatTheCommunityEditionHasNot(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	for _, path := range []string{"quotas", "quota/x", "quota-usages", "quota/usage/x", "sentinel/policies", "sentinel/policy/x", "recommendations", "recommendation/x"} {
		refusal{http.MethodGet, "/v1/" + path, nil, 501, "Nomad Enterprise only endpoint"}.check(t, n, "")
	}
}
