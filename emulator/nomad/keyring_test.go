package nomad

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestKeyring(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	keys, meta, err := c.Keyring().List(nil)
	require.NoError(t, err)
	assert.NotZero(t, meta.LastIndex)
	require.Len(t, keys, 1)
	first := keys[0]
	assert.Equal(t, api.RootKeyStateActive, first.State)
	variable, _, err := c.Variables().Create(&api.Variable{Path: "a", Items: api.VariableItems{"k": "v"}}, nil)
	require.NoError(t, err)

	second, _, err := c.Keyring().Rotate(nil, nil)
	require.NoError(t, err)
	assert.Equal(t, api.RootKeyStateActive, second.State)
	_, err = c.Keyring().Delete(&api.KeyringDeleteOptions{KeyID: first.KeyID}, nil)
	require.ErrorContains(t, err, "root key in use, cannot delete")
	_, err = c.Keyring().Delete(&api.KeyringDeleteOptions{KeyID: second.KeyID, Force: true}, nil)
	require.ErrorContains(t, err, "active root key cannot be deleted - call rotate first")
	_, err = c.Keyring().Delete(&api.KeyringDeleteOptions{KeyID: "nope"}, nil)
	require.ErrorContains(t, err, "root key not found")

	_, _, err = c.Keyring().Rotate(&api.KeyringRotateOptions{Full: true}, nil)
	require.NoError(t, err)
	_, err = c.Keyring().Delete(&api.KeyringDeleteOptions{KeyID: first.KeyID}, nil)
	require.NoError(t, err, "a full rotation leaves nothing encrypted with old keys")
	read, _, err := c.Variables().Read("a", nil)
	require.NoError(t, err)
	assert.Equal(t, variable, read, "for clients, nothing has changed")
	keys, _, err = c.Keyring().List(nil)
	require.NoError(t, err)
	assert.Len(t, keys, 2)
}

func TestKeysArePublishedBeforeTheyAreUsed(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	soon := time.Now()
	_, _, err := c.Keyring().Rotate(&api.KeyringRotateOptions{PublishTime: soon.UnixNano(), Full: true}, nil)
	require.ErrorContains(t, err, "keyring cannot be prepublished and full rotated at the same time")
	next, _, err := c.Keyring().Rotate(&api.KeyringRotateOptions{PublishTime: soon.UnixNano()}, nil)
	require.NoError(t, err)
	assert.Equal(t, api.RootKeyStatePrepublished, next.State)
	require.Eventually(t, func() bool {
		keys, _, err := c.Keyring().List(nil)
		require.NoError(t, err)
		for _, key := range keys {
			if key.KeyID == next.KeyID && key.State == api.RootKeyStateActive {
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond)
}

func TestWhoMayUseTheKeyring(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	reads := holding(t, root, `operator { policy = "read" }`)
	for path, method := range map[string]string{
		"rotate": http.MethodPut, "key/00000000-1111-1111-1111-111111111111": http.MethodDelete,
	} {
		refusal{method, "/v1/operator/keyring/" + path, nil, 403, "Permission denied"}.check(t, n, reads)
	}
	status, _ := ask(t, n, reads, http.MethodGet, "/v1/operator/keyring/keys", nil)
	assert.Equal(t, 200, status)
	status, _ = ask(t, n, "", http.MethodGet, "/.well-known/jwks.json", nil)
	assert.Equal(t, 200, status, "everybody may check identities")
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	refusal{http.MethodGet, "/.well-known/openid-configuration", nil, 404, "OIDC Discovery endpoint disabled"}.check(t, start(t, Options{}), "")
	n := start(t, Options{Regions: []Region{{OIDCIssuer: "https://nomad.example/"}}})
	var said map[string]any
	get(t, n, "/.well-known/openid-configuration", &said)
	assert.Equal(t, "https://nomad.example/", said["issuer"])
	assert.Equal(t, "https://nomad.example/.well-known/jwks.json", said["jwks_uri"])
}

func TestClientsAreIntroduced(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	answer, _, err := root.ACLIdentity().CreateClientIntroductionToken(&api.ACLIdentityClientIntroductionTokenRequest{
		NodeName: "n", TTL: time.Hour,
	}, nil)
	require.NoError(t, err)
	said := claimsOf(t, n, answer.JWT)
	assert.Equal(t, "node-introduction:global:default:n:default", said["sub"])
	assert.Equal(t, "n", said["nomad_node_name"])
	assert.InDelta(t, maxIntroductionTTL.Seconds(), said["exp"].(float64)-said["iat"].(float64), 0.5)
	refusal{http.MethodPut, "/v1/acl/identity/client-introduction-token", map[string]any{}, 403, "Permission denied"}.
		check(t, n, holding(t, root, `node { policy = "read" }`))
}

// claimsOf checks an identity as anybody can.
func claimsOf(t *testing.T, n *Nomad, token string) map[string]any {
	t.Helper()
	var keys jose.JSONWebKeySet
	get(t, n, "/.well-known/jwks.json", &keys)
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(t, err)
	found := keys.Key(parsed.Headers[0].KeyID)
	require.Len(t, found, 1)
	var said map[string]any
	require.NoError(t, parsed.Claims(found[0], &said))
	return said
}

// runs writes an allocation as if a node ran it.
func runs(t *testing.T, n *Nomad, namespace, job string) *state.Allocation {
	t.Helper()
	text := func(s string) *string { return &s }
	group := &api.TaskGroup{Name: text("g"), Tasks: []*api.Task{{Name: "t"}}}
	a := &state.Allocation{Allocation: api.Allocation{
		ID: "00000000-0000-0000-0000-0000000000a1", Namespace: namespace, JobID: job, TaskGroup: "g",
		ClientStatus: api.AllocClientStatusRunning, DesiredStatus: api.AllocDesiredStatusRun,
	}}
	require.NoError(t, n.regions[0].store.Write(func(tx *state.Tx) error {
		registered := &api.Job{ID: text(job), Namespace: text(namespace), TaskGroups: []*api.TaskGroup{group}}
		registered.Canonicalize()
		tx.UpsertJob(registered, true)
		a.Job = tx.Job(namespace, job)
		tx.UpsertAllocation(a)
		tx.UpsertService(&api.ServiceRegistration{ID: "s", ServiceName: "web", Namespace: namespace, AllocID: a.ID, JobID: job, Tags: []string{"a", "b"}})
		return nil
	}))
	return a
}

func TestIdentitiesOfWorkloads(t *testing.T) {
	t.Parallel()
	n, root := startACL(t, Region{OIDCIssuer: "https://nomad.example"})
	a := runs(t, n, "default", "j")
	token, expires, err := n.regions[0].SignIdentity(a.ID, "t", &api.WorkloadIdentity{})
	require.NoError(t, err)
	assert.True(t, expires.IsZero())
	said := claimsOf(t, n, token)
	delete(said, "jti")
	assert.Equal(t, said["iat"], said["nbf"])
	delete(said, "iat")
	delete(said, "nbf")
	assert.Equal(t, map[string]any{
		"iss": "https://nomad.example", "aud": "nomadproject.io", "sub": "global:default:j:g:t:default",
		"nomad_namespace": "default", "nomad_job_id": "j", "nomad_allocation_id": a.ID, "nomad_task": "t",
	}, said)
	other, expires, err := n.regions[0].SignIdentity(a.ID, "t", &api.WorkloadIdentity{Name: "x", Audience: []string{"a", "b"}, TTL: time.Hour})
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(time.Hour), expires, time.Minute)
	assert.Equal(t, []any{"a", "b"}, claimsOf(t, n, other)["aud"])
	_, _, err = n.regions[0].SignIdentity("nope", "t", &api.WorkloadIdentity{})
	require.ErrorContains(t, err, "there is no allocation nope")

	items := api.VariableItems{"k": "v"}
	for _, path := range []string{"nomad/jobs", "nomad/jobs/j", "nomad/jobs/j/g", "nomad/jobs/j/g/t", "nomad/jobs/j/g/u", "nomad/jobs/k", "x"} {
		_, _, err := root.Variables().Create(&api.Variable{Path: path, Items: items}, nil)
		require.NoError(t, err)
	}
	mine := withToken(t, n, token)
	list, _, err := mine.Variables().List(nil)
	require.NoError(t, err)
	var paths []string
	for _, v := range list {
		paths = append(paths, v.Path)
	}
	assert.Equal(t, []string{"nomad/jobs", "nomad/jobs/j", "nomad/jobs/j/g", "nomad/jobs/j/g/t"}, paths, "a task reads its own")
	_, _, err = mine.Variables().Read("nomad/jobs/j/g/t", nil)
	require.NoError(t, err)
	for _, r := range []refusal{
		{http.MethodGet, "/v1/var/nomad/jobs/k", nil, 403, "Permission denied"},
		{http.MethodGet, "/v1/var/nomad/jobs?namespace=other", nil, 403, "Permission denied"},
		{http.MethodPut, "/v1/var/nomad/jobs/j", map[string]any{"Items": items}, 403, "Permission denied"},
		{http.MethodGet, "/v1/namespace/default", nil, 403, "Permission denied"},
		{http.MethodGet, "/v1/acl/token/self", nil, 404, "ACL token not found"},
	} {
		r.check(t, n, token)
	}
	services, _, err := mine.Services().List(nil)
	require.NoError(t, err)
	require.Len(t, services, 1, "and the services of its namespace")
	services, _, err = mine.Services().List(&api.QueryOptions{Namespace: "other"})
	require.NoError(t, err)
	assert.Empty(t, services)
	services, _, err = mine.Services().List(&api.QueryOptions{Namespace: "*"})
	require.NoError(t, err)
	assert.Empty(t, services, "of one namespace at a time")

	for i, of := range []*api.JobACL{
		{Namespace: "other"}, {Namespace: "default", JobID: "k"}, {Namespace: "default", JobID: "j", Group: "x"},
		{Namespace: "default", JobID: "j", Group: "g", Task: "t"},
	} {
		_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "jobs", Rules: `node { policy = "read" }`, JobACL: of}, nil)
		require.NoError(t, err)
		_, _, err = mine.Nodes().List(nil)
		if i < 3 {
			assert.ErrorContains(t, err, "Permission denied", of)
		} else {
			assert.NoError(t, err, "a policy of the job")
		}
	}
	require.NoError(t, n.regions[0].store.Write(func(tx *state.Tx) error {
		tx.UpdateAllocation(a, func(a *state.Allocation) { a.ClientStatus = api.AllocClientStatusComplete })
		return nil
	}))
	refusal{http.MethodGet, "/v1/acl/token/self", nil, 500, "allocation is terminal"}.check(t, n, token)
	refusal{http.MethodGet, "/v1/vars", nil, 403, "Permission denied"}.check(t, n, token)
}

func TestDispatchedJobsAreKnownAsTheirParents(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	a := runs(t, n, "default", "j")
	parent := "par"
	require.NoError(t, n.regions[0].store.Write(func(tx *state.Tx) error {
		child := *a.Job
		child.ParentID = &parent
		tx.UpsertJob(&child, true)
		next := *a
		next.Job = tx.Job("default", "j")
		tx.UpsertAllocation(&next)
		return nil
	}))
	token, _, err := n.regions[0].SignIdentity(a.ID, "t", &api.WorkloadIdentity{})
	require.NoError(t, err)
	assert.Equal(t, "global:default:par:g:t:default", claimsOf(t, n, token)["sub"])
	_, _, err = root.Variables().Create(&api.Variable{Path: "nomad/jobs/par", Items: api.VariableItems{"k": "v"}}, nil)
	require.NoError(t, err)
	_, _, err = withToken(t, n, token).Variables().Read("nomad/jobs/par", nil)
	assert.NoError(t, err)
}

func TestNodesShowTheirSecret(t *testing.T) {
	t.Parallel()
	n, _ := startACL(t)
	const secret = "00000000-0000-0000-0000-0000000000b1"
	require.NoError(t, n.regions[0].RegisterNode(&api.Node{ID: "00000000-0000-0000-0000-0000000000b2", Name: "n", NodePool: "default"}, secret))
	node := withToken(t, n, secret)
	_, _, err := node.Nodes().List(nil)
	require.NoError(t, err)
	for _, path := range []string{"/v1/services", "/v1/acl/policies", "/v1/var/a", "/v1/namespace/default"} {
		refusal{http.MethodGet, path, nil, 403, "Permission denied"}.check(t, n, secret)
	}
	refusal{http.MethodGet, "/v1/acl/roles", nil, 403, "ACL token not found"}.check(t, n, secret)
}
