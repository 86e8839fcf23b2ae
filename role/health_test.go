package role_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/role"
)

func TestARoleThatLivesIsHealthy(t *testing.T) {
	t.Parallel()
	// One that cannot do its work lives all the same.
	r := start(t, role.Options{Ready: func(context.Context) error { return errors.New("the bus is away") }})
	listen := r.base[len("http://"):]
	_, port, err := net.SplitHostPort(listen)
	require.NoError(t, err)
	require.NoError(t, role.Health(t.Context(), listen))
	require.NoError(t, role.Health(t.Context(), ":"+port))
	require.NoError(t, role.Health(t.Context(), "0.0.0.0:"+port))
	r.stop()
	require.NoError(t, <-r.ended)
	assert.ErrorContains(t, role.Health(t.Context(), listen), "connection refused")
}

func TestWhatAnswersOtherwiseIsNotHealthy(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	err := role.Health(t.Context(), server.Listener.Addr().String())
	assert.ErrorContains(t, err, "answered 404 Not Found: 404 page not found")
}

func TestHealthNeedsAnAddress(t *testing.T) {
	t.Parallel()
	err := role.Health(t.Context(), "")
	assert.ErrorContains(t, err, `DRYDOCK_LISTEN="" is not the host:port`)
}
