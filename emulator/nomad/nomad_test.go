package nomad

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a Nomad that ends with the test.
func start(t testing.TB, o Options) *Nomad {
	t.Helper()
	n, err := Start(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// connect makes the official client of a Nomad's first region.
func connect(t testing.TB, n *Nomad) *api.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := api.NewClient(&api.Config{Address: n.regions[0].listener.URL(), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	return c
}

// get asks for a path and reads the JSON of the answer.
func get(t testing.TB, n *Nomad, path string, into any) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.regions[0].listener.URL()+path, nil)
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	if into != nil {
		require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
	}
	return answer
}
