package rest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/rest"
)

func TestTheMostSpecificRouteIsFound(t *testing.T) {
	t.Parallel()
	nothing := func(struct{}) (any, error) { return nil, nil }
	var table []rest.Route[struct{}]
	for _, path := range []string{
		"/v1/job/{id...}", "/v1/job/{id...}/allocations", "/v1/job/{id...}/versions/{tag}/tag", "/v1/keys/{key...}",
		"/v1/node/{id}", "/v1/node/{id}/drain", "/v1/nodes", "/.well-known/keys",
	} {
		table = append(table, rest.Route[struct{}]{Method: http.MethodGet, Path: path, Handle: nothing})
	}
	table = append(table, rest.Route[struct{}]{Method: http.MethodPut, Path: "/v1/nodes", Lacks: "it is absent"})
	router := rest.NewRouter(table)
	for path, want := range map[string][2]string{
		"/v1/job/a":                  {"/v1/job/{id...}", "a"},
		"/v1/job/a/b":                {"/v1/job/{id...}", "a/b"},
		"/v1/job/a%2Fb/allocations":  {"/v1/job/{id...}/allocations", "a/b"},
		"/v1/job/a/b/allocations":    {"/v1/job/{id...}/allocations", "a/b"},
		"/v1/job/allocations":        {"/v1/job/{id...}", "allocations"},
		"/v1/job/a/versions/one/tag": {"/v1/job/{id...}/versions/{tag}/tag", "a"},
		"/v1/keys/":                  {"/v1/keys/{key...}", ""},
		"/v1/keys/a/":                {"/v1/keys/{key...}", "a/"},
		"/v1/keys":                   {},
		"/v1/node/a":                 {"/v1/node/{id}", "a"},
		"/v1/node/a/drain":           {"/v1/node/{id}/drain", "a"},
		"/v1/node/a/b":               {},
		"/v1/nodes":                  {"/v1/nodes", ""},
		"/.well-known/keys":          {"/.well-known/keys", ""},
		"/":                          {},
	} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		routes := router.Find(request)
		if want[0] == "" {
			assert.Nil(t, routes, path)
			continue
		}
		require.NotNil(t, routes, path)
		assert.Equal(t, want[0], routes[http.MethodGet].Path, path)
		assert.Equal(t, []string{http.MethodGet}, rest.Methods(routes), path)
		assert.Equal(t, want[1], request.PathValue("id")+request.PathValue("key"), path)
	}
}

// FuzzRouter looks for whatever is asked: what is found has a name for each part.
func FuzzRouter(f *testing.F) {
	nothing := func(struct{}) (any, error) { return nil, nil }
	var table []rest.Route[struct{}]
	for _, path := range []string{"/v1/kv/{key...}", "/v1/job/{id...}/versions/{tag}/tag", "/v1/jobs"} {
		table = append(table, rest.Route[struct{}]{Method: http.MethodGet, Path: path, Handle: nothing})
	}
	router := rest.NewRouter(table)
	f.Add("/v1/kv/a//b%2Fc")
	f.Add("/v1/job/a/b/versions/x/tag")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.Parse("http://host/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			return
		}
		request := &http.Request{URL: u}
		if routes := router.Find(request); routes != nil {
			assert.Contains(t, routes, http.MethodGet)
		}
	})
}
