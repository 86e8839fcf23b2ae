package alerts

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/market"
)

// saw lays out a past that goes over 10 and back, every two days until now.
func saw(now time.Time, symbol string, days int) (quotes []contract.Quote) {
	for i := range days {
		price := 9.0
		if i%2 == 1 {
			price = 11
		}
		quotes = append(quotes, contract.Quote{Symbol: symbol, Price: price, Volume: 1, Time: now.Add(-time.Duration(days-i) * 24 * time.Hour)})
	}
	return quotes
}

func repeating(symbol string, price float64) string {
	return fmt.Sprintf(`{"symbol":%q,"repeat":true,"condition":{"kind":"above","price":%v},"channel":{"kind":"email","address":"ann@example.com"}}`, symbol, price)
}

func TestADryRunTellsWhatARuleWouldHaveDone(t *testing.T) {
	t.Parallel()
	b := start(t)
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return now }
	b.market.quotes = append(saw(now, "ACME", 100), saw(now, "BTC-USD", 3)...)

	run := ask[DryRun](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", `{"rule":`+repeating("ACME", 10)+`}`, http.StatusOK)
	require.Equal(t, 15, run.Fired)
	require.Equal(t, 30, run.Quotes)
	require.Equal(t, now, run.To)
	require.Equal(t, now.AddDate(0, 0, -30), run.From)
	require.Equal(t, "would have fired 15 times from 2026-04-04 to 2026-05-04", run.Text)
	require.Len(t, run.Alerts, 15)
	require.Equal(t, "ACME", run.Alerts[0].Symbol)
	require.Equal(t, 11.0, run.Alerts[0].Price)
	require.Equal(t, 10.0, run.Alerts[0].Level)
	require.True(t, run.Alerts[0].Time.Before(run.Alerts[1].Time))
	require.Zero(t, b.index.size(), "nothing is kept")

	run = ask[DryRun](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run",
		`{"rule":`+repeating("ACME", 10)+`,"from":"2026-04-30T00:00:00Z","to":"2026-05-02T00:00:00+02:00"}`, http.StatusOK)
	require.Equal(t, "would have fired once from 2026-04-30 to 2026-05-01", run.Text)
	run = ask[DryRun](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", `{"rule":`+repeating("ACME", 99)+`}`, http.StatusOK)
	require.Equal(t, "would not have fired from 2026-04-04 to 2026-05-04", run.Text)
	require.Equal(t, []Alert{}, run.Alerts)
	require.Equal(t, 3, b.market.coarse, "more than a day is read in coarser quotes")
	ask[DryRun](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", `{"rule":`+repeating("ACME", 10)+`,"from":"2026-05-03T12:00:00Z"}`, http.StatusOK)
	require.Equal(t, 3, b.market.coarse, "a day in every quote")
}

func TestADryRunOfARuleIgnoresThatItWaits(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.market.quotes = saw(time.Now(), "ACME", 300)
	rule := b.set(t, "ann", repeating("ACME", 10))
	ask[Rule](t, b, "ann", http.MethodPost, "/v1/alerts/"+rule.ID+"/pause", "", http.StatusOK)
	run := ask[DryRun](t, b, "ann", http.MethodPost, "/v1/alerts/"+rule.ID+"/dry-run", "", http.StatusOK)
	require.Equal(t, 15, run.Fired)
	from := time.Now().Add(-299 * 24 * time.Hour).Format(time.RFC3339)
	run = ask[DryRun](t, b, "ann", http.MethodPost, "/v1/alerts/"+rule.ID+"/dry-run", `{"from":"`+from+`"}`, http.StatusOK)
	require.Greater(t, run.Fired, maxAlertsShown)
	require.Len(t, run.Alerts, maxAlertsShown)
	require.True(t, b.kept(t, "ann", rule.ID).Paused)
	require.InDelta(t, 2, b.counted(t, "drydock_alerts_dry_runs_total"), 0)
}

func TestWhatNoDryRunTakesIsRefused(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.MaxQuotes = 5 })
	b.market.quotes = saw(time.Now(), "ACME", 20)
	for _, test := range []struct{ body, place, says string }{
		{`{}`, "body", "required"},
		{`{"rule":` + repeating("NONE", 10) + `}`, "body.rule.symbol", "no such symbol"},
		{`{"rule":` + repeating("ACME", -1) + `}`, "body.rule.condition.price", "not more than 0"},
		{`{"rule":` + repeating("ACME", 10) + `,"from":"2026-05-04T00:00:00Z","to":"2026-05-04T00:00:00Z"}`, "body.from", "before the end"},
		{`{"rule":` + repeating("ACME", 10) + `,"from":"2020-05-04T00:00:00Z"}`, "body.from", "more than 366 days"},
		{`{"rule":` + repeating("ACME", 10) + `}`, "body.from", "more than 5 quotes"},
	} {
		said := ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", test.body, http.StatusUnprocessableEntity)
		require.NotEmpty(t, said.Errors, test.body)
		require.Equal(t, test.place, said.Errors[0].Location, test.body)
		require.Contains(t, said.Errors[0].Message, test.says)
	}
}

func TestADryRunWaitsForNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	body := `{"rule":` + repeating("ACME", 10) + `}`
	for range dryRunsAtOnce {
		b.dryRuns <- struct{}{}
	}
	require.Contains(t, ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", body, http.StatusServiceUnavailable).Detail, "under way")
	for range dryRunsAtOnce {
		<-b.dryRuns
	}
	b.market.err = errAway
	said := ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", body, http.StatusServiceUnavailable)
	require.Contains(t, said.Detail, "cannot be read")
	require.NotContains(t, said.Detail, errAway.Error())
	b.market.err = fmt.Errorf("read history: %w", market.ErrNoHistory)
	require.Contains(t, ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts/dry-run", body, http.StatusNotImplemented).Detail, "no history")
}
