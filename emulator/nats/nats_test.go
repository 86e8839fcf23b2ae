package nats_test

import (
	"context"
	"net/url"
	"strconv"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nats"
)

func TestWhatWasAcknowledgedIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	for round := range 3 {
		server, err := nats.Start(nats.Options{Dir: dir})
		require.NoError(t, err)
		connection, err := client.Connect(server.URL())
		require.NoError(t, err)
		js, err := jetstream.New(connection)
		require.NoError(t, err)
		stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "kept", Subjects: []string{"kept.>"}})
		require.NoError(t, err)
		info, err := stream.Info(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, round, info.State.Msgs)
		_, err = js.Publish(ctx, "kept.one", []byte("x"))
		require.NoError(t, err)
		connection.Close()
		require.NoError(t, server.Close())
		require.NoError(t, server.Close(), "closing twice")
	}
}

func TestATakenPortIsAnError(t *testing.T) {
	t.Parallel()
	first, err := nats.Start(nats.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer first.Close()
	address, err := url.Parse(first.URL())
	require.NoError(t, err)
	port, err := strconv.Atoi(address.Port())
	require.NoError(t, err)
	_, err = nats.Start(nats.Options{Dir: t.TempDir(), Port: port})
	require.Error(t, err)
}
