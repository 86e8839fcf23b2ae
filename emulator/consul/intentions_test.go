package consul

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// client is the official client of dc1's first agent.
func client(t *testing.T, c *Consul) *api.Client {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	client, err := api.NewClient(&api.Config{Address: c.URL("dc1"), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	return client
}

func TestTheIntentionOfTheHighestPrecedenceHolds(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	connect := client(t, c).Connect()
	check := func(source, destination string) bool {
		allowed, _, err := connect.IntentionCheck(&api.IntentionCheck{Source: source, Destination: "default/" + destination}, nil)
		require.NoError(t, err)
		return allowed
	}
	assert.True(t, check("a", "web"), "without any, the default of access control holds")
	configure(t, c,
		`{"Kind":"service-intentions","Name":"*","Sources":[{"Name":"*","Action":"deny"},{"Name":"b","Action":"allow"}]}`,
		`{"Kind":"service-intentions","Name":"web","Sources":[{"Name":"*","Action":"allow"},{"Name":"b","Action":"deny"}]}`)
	assert.False(t, check("b", "web"))
	assert.True(t, check("a", "web"))
	assert.True(t, check("b", "else"))
	assert.False(t, check("a", "else"))

	matched, _, err := connect.IntentionMatch(&api.IntentionMatch{By: api.IntentionMatchDestination, Names: []string{"web", "else"}}, nil)
	require.NoError(t, err)
	var precedences []int
	for _, intention := range matched["web"] {
		precedences = append(precedences, intention.Precedence)
	}
	assert.Equal(t, []int{9, 8, 6, 5}, precedences)
	assert.Len(t, matched["else"], 2)

	authorized, err := client(t, c).Agent().ConnectAuthorize(&api.AgentAuthorizeParams{Target: "web", ClientCertURI: "spiffe://x.consul/ns/default/dc/dc1/svc/b"})
	require.NoError(t, err)
	assert.Equal(t, &api.AgentAuthorize{Reason: "Matched L4 intention: default/b => default/web (Precedence: 9, Action: DENY)"}, authorized)
}

func TestAnIntentionByItsServices(t *testing.T) {
	t.Parallel()
	connect := client(t, start(t, Options{})).Connect()
	upsert := func(source, description string) {
		_, err := connect.IntentionUpsert(&api.Intention{SourceName: source, DestinationName: "web", Action: api.IntentionActionDeny, Description: description}, nil)
		require.NoError(t, err)
	}
	upsert("a", "first")
	upsert("a", "second")
	upsert("b", "")
	found, _, err := connect.IntentionGetExact("a", "web", nil)
	require.NoError(t, err)
	assert.Equal(t, "second", found.Description)
	assert.Empty(t, found.ID)
	all, _, err := connect.Intentions(nil)
	require.NoError(t, err)
	assert.Len(t, all, 2)
	some, _, err := connect.Intentions(&api.QueryOptions{Filter: "SourceName == b"})
	require.NoError(t, err)
	assert.Len(t, some, 1)
	_, _, err = connect.Intentions(&api.QueryOptions{Filter: "Nonsense == b"})
	assert.ErrorContains(t, err, "Failed to create boolean expression evaluator")
	for range 2 {
		_, err = connect.IntentionDeleteExact("a", "web", nil)
		require.NoError(t, err)
	}
	found, _, err = connect.IntentionGetExact("a", "web", nil)
	require.NoError(t, err)
	assert.Nil(t, found)
}

func TestIntentionsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	const path = "/v1/connect/intentions"
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/hello", "", 400, "failed config entry lookup: index error: UUID must be 36 characters"},
		{"GET", "/00000000-0000-0000-0000-000000000000", "", 404, "Intention not found"},
		{"POST", "", `{"DestinationName":"db","Action":"deny"}`, 500, "1 error occurred:\n\t* SourceName must be set\n\n"},
		{"POST", "", `{"SourceName":"x","Action":"deny"}`, 403, "Permission denied"},
		{"POST", "", `{"SourceName":"x","DestinationName":"db"}`, 500, "1 error occurred:\n\t* Action must be set to 'allow' or 'deny'\n\n"},
		{"POST", "", `{"SourceName":"x","DestinationName":"d*b","Action":"deny"}`, 500, "1 error occurred:\n\t* DestinationName: wildcard character '*' cannot be used with partial values\n\n"},
		{"PUT", "/exact?source=a&destination=new", `{"Action":"deny","Meta":{"a":"b"}}`, 500, "Meta must not be specified"},
		{"GET", "/exact?source=a", "", 500, "required query parameter 'destination' not set"},
		{"GET", "/exact", "", 500, "required query parameter 'source' not set"},
		{"GET", "/match", "", 500, "required query parameter 'by' not set"},
		{"GET", "/match?by=x&name=web", "", 500, "'by' parameter must be one of 'source' or 'destination'"},
		{"GET", "/match?by=destination", "", 500, "required query parameter 'name' not set"},
		{"GET", "/check?source=q&destination=web&source-type=bad", "", 500, `unsupported SourceType: "bad"`},
	} {
		status, _, body := ask(t, c, test.method, path+test.path, strings.NewReader(test.body))
		assert.Equal(t, test.status, status, "%s %s", test.method, test.path)
		assert.Equal(t, test.want, body, "%s %s", test.method, test.path)
	}
}
