package checks

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask probes the target of a definition once.
func ask(t *testing.T, d Definition) Result {
	t.Helper()
	probe, err := newProbe(d)
	require.NoError(t, err)
	return probe(t.Context())
}

// start runs a check until the test ends; its results come out of the channel.
func start(t *testing.T, d Definition, source Source) (*Runner, <-chan Result) {
	t.Helper()
	require.NoError(t, d.Validate())
	results := make(chan Result, 100)
	r, err := Start(d, source, func(found Result) { results <- found })
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r, results
}

// next is the next result that a check reports.
func next(t *testing.T, results <-chan Result) Result {
	t.Helper()
	select {
	case found := <-results:
		return found
	case <-time.After(patience):
		require.Fail(t, "no result")
		return Result{}
	}
}

func warning(output string) Result { return Result{Status: api.HealthWarning, Output: output} }

// serveTLS answers 404 over TLS until the test ends. Clients that turn away are no news.
func serveTLS(t *testing.T, http2 bool) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
