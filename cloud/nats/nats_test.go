package nats_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/cloudtest"
	"github.com/drydock/drydock/cloud/nats"
	server "github.com/drydock/drydock/emulator/nats"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Both belong to the server: its process-wide tickers.
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	)
}

func start(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	t.Cleanup(cancel)
	return ctx
}

func TestBus(t *testing.T) {
	t.Parallel()
	cloudtest.Bus(t, func(t *testing.T) func() cloud.Bus {
		s := start(t)
		return func() cloud.Bus {
			bus, err := nats.OpenBus(bounded(t), s.URL())
			require.NoError(t, err)
			t.Cleanup(func() { bus.Close() })
			return bus
		}
	})
}

func TestRead(t *testing.T) {
	t.Parallel()
	cloudtest.Read(t, func(t *testing.T) func() cloud.Bus {
		s := start(t)
		return func() cloud.Bus {
			bus, err := nats.OpenBus(bounded(t), s.URL())
			require.NoError(t, err)
			t.Cleanup(func() { bus.Close() })
			return bus
		}
	})
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	cloudtest.Schedules(t, func(t *testing.T) func() (cloud.Schedules, cloud.Bus) {
		s := start(t)
		return func() (cloud.Schedules, cloud.Bus) {
			schedules, err := nats.OpenSchedules(bounded(t), s.URL())
			require.NoError(t, err)
			t.Cleanup(func() { schedules.Close() })
			bus, err := nats.OpenBus(bounded(t), s.URL())
			require.NoError(t, err)
			t.Cleanup(func() { bus.Close() })
			return schedules, bus
		}
	})
}

func TestRecords(t *testing.T) {
	t.Parallel()
	s := start(t)
	var collections atomic.Int32
	cloudtest.Records(t, func(t *testing.T) cloud.Records {
		records, err := nats.OpenRecords(bounded(t), s.URL(), fmt.Sprintf("collection-%d", collections.Add(1)))
		require.NoError(t, err)
		t.Cleanup(func() { records.Close() })
		return records
	})
}
