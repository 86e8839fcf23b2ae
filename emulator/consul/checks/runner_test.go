package checks

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunnerReportsChangesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, results := start(t, Definition{TTL: time.Minute, Status: "passing"}, nil)
		require.NoError(t, r.Update("passing", ""))
		require.NoError(t, r.Update("warning", "a"))
		require.NoError(t, r.Update("warning", "a"))
		require.NoError(t, r.Update("warning", "b"))
		require.Len(t, results, 2)
		assert.Equal(t, warning("a"), <-results)
		assert.Equal(t, warning("b"), <-results)
	})
}

func TestRunnerProbes(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	r, results := start(t, Definition{TCP: address, Interval: 1}, nil)
	assert.Equal(t, passing("TCP connect "+address+": Success"), next(t, results))
	require.NoError(t, listener.Close())
	assert.Equal(t, critical("dial tcp "+address+": connect: connection refused"), next(t, results))
	assert.ErrorIs(t, r.Update("passing", ""), ErrNotTTL)
	r.Close()
	r.Close()
}

func TestStartRefusesWhatTheAgentCannotDo(t *testing.T) {
	t.Parallel()
	_, err := Start(Definition{OSService: "ssh", Interval: time.Second}, nil, nil)
	assert.ErrorIs(t, err, ErrNotImplemented)
}
