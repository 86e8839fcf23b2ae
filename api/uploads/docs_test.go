package uploads

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func fetch(t *testing.T, handler http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(within(t), method, path, nil))
	return recorder
}

// openAPI is the part of an OpenAPI document that the test looks at.
type openAPI struct {
	OpenAPI string
	Info    struct{ Title, Description, Version string }
	Paths   map[string]map[string]struct {
		OperationID, Summary, Description string
		Tags                              []string
		Responses                         map[string]struct {
			Content map[string]struct{ Example any }
		}
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Description, Format string
				Type                any
				Examples            []any
			}
		}
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	handler := offline(t)
	asJSON := fetch(t, handler, http.MethodGet, "/openapi.json")
	require.Equal(t, http.StatusOK, asJSON.Code)
	require.Equal(t, "application/vnd.oai.openapi+json", asJSON.Header().Get("Content-Type"))
	var api openAPI
	require.NoError(t, json.Unmarshal(asJSON.Body.Bytes(), &api))
	require.Equal(t, "3.1.0", api.OpenAPI)
	require.NotEmpty(t, api.Info.Title)
	require.NotEmpty(t, api.Info.Description)

	var operations []string
	for path, methods := range api.Paths {
		for method, operation := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
			require.NotEmpty(t, operation.OperationID, path)
			require.NotEmpty(t, operation.Summary, path)
			require.NotEmpty(t, operation.Description, path)
			require.Len(t, operation.Tags, 1, path)
			if stream, ok := operation.Responses["200"].Content["text/event-stream"]; ok {
				require.NotEmpty(t, stream.Example, path)
			}
		}
	}
	require.ElementsMatch(t, []string{
		"POST /v1/uploads", "GET /v1/uploads", "GET /v1/uploads/{id}", "DELETE /v1/uploads/{id}",
		"GET /v1/events", "GET /v1/uploads/{id}/events",
	}, operations)
	for name, schema := range api.Components.Schemas {
		for property, p := range schema.Properties {
			require.NotEmpty(t, p.Description, "%s.%s", name, property)
			if p.Type == "string" && p.Format == "" && !strings.HasPrefix(name, "Error") {
				require.NotEmpty(t, p.Examples, "%s.%s", name, property)
			}
		}
	}

	asYAML := fetch(t, handler, http.MethodGet, "/openapi.yaml")
	require.Equal(t, http.StatusOK, asYAML.Code)
	require.Contains(t, asYAML.Body.String(), "openapi: 3.1.0")
}

// TestDocs: the page and all it names come from here, and its policy lets
// nothing else in.
func TestDocs(t *testing.T) {
	t.Parallel()
	handler := offline(t)
	moved := fetch(t, handler, http.MethodGet, "/docs")
	require.Equal(t, http.StatusMovedPermanently, moved.Code)
	require.Equal(t, "docs/", moved.Header().Get("Location"))

	page := fetch(t, handler, http.MethodGet, "/docs/")
	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Header().Get("Content-Type"), "text/html")
	policy := page.Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "script-src 'self';")
	require.NotContains(t, policy, "http")
	require.NotContains(t, page.Body.String(), "http")
	named := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.Len(t, named, 4)
	for _, name := range named {
		asset := fetch(t, handler, http.MethodGet, "/docs/"+name[1])
		require.Equal(t, http.StatusOK, asset.Code, name[1])
		require.NotEmpty(t, asset.Body.String(), name[1])
		require.Equal(t, "nosniff", asset.Header().Get("X-Content-Type-Options"))
	}
	require.Equal(t, http.StatusNotFound, fetch(t, handler, http.MethodGet, "/docs/none.js").Code)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	handler := offline(t)
	for _, test := range []struct {
		request string
		status  int
		allow   string
	}{
		{"GET /", http.StatusOK, ""},
		{"GET /nothing", http.StatusNotFound, ""},
		{"GET /v1/", http.StatusNotFound, ""},
		{"GET /v1/nothing", http.StatusNotFound, ""},
		{"GET /v1/uploads/", http.StatusNotFound, ""},
		{"GET /v1/uploads/a/b", http.StatusNotFound, ""},
		{"PUT /v1/uploads", http.StatusMethodNotAllowed, "GET, POST"},
		{"POST /v1/uploads/a", http.StatusMethodNotAllowed, "GET, DELETE"},
		{"DELETE /v1/events", http.StatusMethodNotAllowed, "GET"},
		{"BREW /v1/uploads/a/events", http.StatusMethodNotAllowed, "GET"},
	} {
		answer := fetch(t, handler, strings.Fields(test.request)[0], strings.Fields(test.request)[1])
		require.Equal(t, test.status, answer.Code, test.request)
		require.Equal(t, test.allow, answer.Header().Get("Allow"), test.request)
		for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
			require.NotEmpty(t, answer.Header().Get(header), "%s %s", test.request, header)
		}
		require.Contains(t, answer.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
		if strings.Contains(test.request, "/v1/") {
			require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"), test.request)
			require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
			require.Equal(t, test.status, decode[problem](t, answer.Body.Bytes()).Status)
		}
	}
}
