package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthAsksTheRoleThatTheEnvironmentNames(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer server.Close()
	health := func(listen string) error {
		getenv := func(name string) string { return map[string]string{"DRYDOCK_LISTEN": listen}[name] }
		return run(context.Background(), []string{"health"}, getenv, io.Discard, io.Discard)
	}
	require.NoError(t, health(server.Listener.Addr().String()))
	assert.Equal(t, "/health/live", <-asked)
	assert.ErrorContains(t, health(""), "DRYDOCK_LISTEN")
}
