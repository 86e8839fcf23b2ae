package consul

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a Consul that ends with the test.
func start(t *testing.T, o Options) *Consul {
	t.Helper()
	c, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// ask makes a request of dc1's first agent and returns its answer.
func ask(t *testing.T, c *Consul, method, path string, body io.Reader) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.URL("dc1")+path, body)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(read)
}

// get asks for JSON.
func get[T any](t *testing.T, c *Consul, path string) T {
	t.Helper()
	status, _, body := ask(t, c, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, status, body)
	var value T
	require.NoError(t, json.Unmarshal([]byte(body), &value), body)
	return value
}

func TestUnknownRoutesAreCounted(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	status, _, _ := ask(t, c, http.MethodGet, "/v1/no/such/route", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, 2, c.unknown.Add("GET /v1/no/such/route"), "it was counted")
	assert.Equal(t, "127.0.0.1:8300", get[string](t, c, "/v1/status/leader"))
}
