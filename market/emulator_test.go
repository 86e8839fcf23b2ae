package market

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
	emulator "github.com/drydock/drydock/emulator/market"
)

func TestTheEmulatorsFeedIsReadWhole(t *testing.T) {
	ctx := setUp(t)
	feed, err := emulator.Start(emulator.Options{Seed: 1})
	require.NoError(t, err)
	defer feed.Close()
	c, err := Open(Options{Getenv: func(string) string { return feed.URL() }, Records: openRecords(t), Logger: quiet})
	require.NoError(t, err)
	defer c.Close()

	require.NoError(t, c.Ready(ctx))
	symbols, err := c.Symbols(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, symbols)
	latest, err := c.Latest(ctx, symbols)
	require.NoError(t, err)
	assert.Len(t, latest, len(symbols))
	for _, quote := range latest {
		require.NoError(t, quote.Check())
		assert.WithinDuration(t, time.Now(), quote.Time, time.Minute)
	}

	to := latest[0].Time
	from := to.Add(-2 * time.Hour)
	want, err := feed.History(symbols[:3], from, to)
	require.NoError(t, err)
	got := collect(t, c, ctx, symbols[:3], from, to)
	order := func(a, b contract.Quote) int {
		if n := a.Time.Compare(b.Time); n != 0 {
			return n
		}
		return slices.Compare([]byte(a.Symbol), []byte(b.Symbol))
	}
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	assert.Greater(t, len(got), 20_000, "that is more than a page")
	assert.Equal(t, want, got)
}
