package consul

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// found is the path of the table that a request's path leads to, with its values.
func found(r *router, path string) string {
	u, err := url.Parse("http://consul" + "/" + strings.TrimPrefix(path, "/"))
	if err != nil {
		return ""
	}
	req := &http.Request{URL: u}
	for _, route := range r.find(req) {
		text := route.path
		for _, part := range strings.Split(route.path, "/") {
			if isName(part) {
				name := strings.Trim(part, "{}")
				text += " " + name + "=" + req.PathValue(name)
			}
		}
		return text
	}
	return ""
}

func TestRouterTakesTheMostSpecificPath(t *testing.T) {
	t.Parallel()
	handle := func(*request) (any, error) { return nil, nil }
	r := newRouter([]route{
		{"GET", "/v1/thing/{name}", handle, faithful, ""},
		{"GET", "/v1/thing/special", handle, faithful, ""},
		{"PUT", "/v1/thing/{id}/act", handle, faithful, ""},
		{"GET", "/v1/things", handle, faithful, ""},
	})
	for path, want := range map[string]string{
		"/v1/thing/special":   "/v1/thing/special",
		"/v1/thing/a":         "/v1/thing/{name} name=a",
		"/v1/thing/a/b":       "/v1/thing/{name} name=a/b",
		"/v1/thing/a/act":     "/v1/thing/{id}/act id=a",
		"/v1/thing/a%2Fb/act": "/v1/thing/{id}/act id=a/b",
		"/v1/thing//x":        "/v1/thing/{name} name=/x",
		"/v1/thing/":          "/v1/thing/{name} name=",
		"/v1/thing":           "",
		"/v1/things":          "/v1/things",
		"/v1/thing/%zz":       "",
		"/":                   "",
		"/v1":                 "",
	} {
		assert.Equal(t, want, found(r, path), path)
	}
}

func FuzzRouter(f *testing.F) {
	f.Add("/v1/kv/a//b%2Fc")
	f.Fuzz(func(t *testing.T, path string) { found(newRouter(table()), path) })
}
