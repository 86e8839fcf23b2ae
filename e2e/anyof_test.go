package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// anyServer sends a request to one of several servers that are the same: the
// last that answered, or the next one that can be reached.
type anyServer struct {
	servers   []*url.URL
	last      atomic.Int32
	transport http.RoundTripper
}

// anyOf is a client of whichever of the servers answers.
func anyOf(t *testing.T, addresses []string) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: dialAtMost}).DialContext, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	any := &anyServer{transport: transport}
	for _, address := range addresses {
		server, err := url.Parse(address)
		require.NoError(t, err)
		any.servers = append(any.servers, server)
	}
	return &http.Client{Transport: any}
}

func (a *anyServer) RoundTrip(request *http.Request) (answer *http.Response, err error) {
	first := int(a.last.Load())
	for i := range a.servers {
		at := (first + i) % len(a.servers)
		one := request.Clone(request.Context())
		one.URL.Scheme, one.URL.Host, one.Host = a.servers[at].Scheme, a.servers[at].Host, ""
		if request.GetBody != nil {
			if one.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
		if answer, err = a.transport.RoundTrip(one); err == nil {
			a.last.Store(int32(at))
			return answer, nil
		}
		if request.Context().Err() != nil || request.Body != nil && request.GetBody == nil {
			break
		}
	}
	a.last.Store(int32((first + 1) % len(a.servers))) // it may hang rather than refuse
	return nil, err
}

func TestAnyServerThatAnswersIsAsked(t *testing.T) {
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer echo.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client := anyOf(t, []string{gone.URL, echo.URL, gone.URL})
	for range 2 {
		answer, err := client.Post(gone.URL+"/", "text/plain", strings.NewReader("hello"))
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, "hello", string(text))
	}
	_, err := anyOf(t, []string{gone.URL}).Get(gone.URL)
	assert.Error(t, err)
}
