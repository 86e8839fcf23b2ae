package nats

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	server "github.com/drydock/drydock/emulator/nats"
)

// TestMain looks for the goroutines that it would leave behind.
func TestAWatcherThatIsFullStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer s.Close()
	records, err := OpenRecords(ctx, s.URL(), "many")
	require.NoError(t, err)
	defer records.Close()
	watcher, err := records.watch(ctx, "")
	require.NoError(t, err)
	for i := range 2 * cap(watcher.Updates()) {
		_, err := records.Put(ctx, fmt.Sprint(i), nil, 0, 0)
		require.NoError(t, err)
	}
	full := func() bool { return len(watcher.Updates()) == cap(watcher.Updates()) }
	require.Eventually(t, full, time.Minute, time.Millisecond)
	watcher.stop()
}
