package alerts

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

func ids(rules []Rule) []string {
	ids := []string{}
	for _, rule := range rules {
		ids = append(ids, rule.ID)
	}
	return ids
}

func TestRulesAreListedNewestFirstPageByPage(t *testing.T) {
	t.Parallel()
	b := start(t)
	base := time.Now()
	made := []string{}
	for i := range 7 {
		b.now = func() time.Time { return base.Add(time.Duration(i) * time.Second) }
		made = append(made, b.set(t, "ann", simple("ACME", 1)).ID)
	}
	b.set(t, "bob", simple("ACME", 1))
	slices.Reverse(made)
	all := ask[Page](t, b, "ann", http.MethodGet, "/v1/alerts", "", http.StatusOK)
	require.Equal(t, made, ids(all.Rules))
	require.Equal(t, 7, all.Total)
	require.Empty(t, all.Next)

	var seen []string
	for path, pages := "/v1/alerts?limit=3", 0; path != ""; pages++ {
		require.Less(t, pages, 3)
		page := ask[Page](t, b, "ann", http.MethodGet, path, "", http.StatusOK)
		seen = append(seen, ids(page.Rules)...)
		path = ""
		if page.Next != "" {
			path = "/v1/alerts?limit=3&after=" + page.Next
		}
	}
	require.Equal(t, made, seen)
	exact := ask[Page](t, b, "ann", http.MethodGet, "/v1/alerts?limit=7", "", http.StatusOK)
	require.Empty(t, exact.Next)
	// A rule that is gone may still be gone on after.
	code, _, _ := b.call(t, "ann", http.MethodDelete, "/v1/alerts/"+made[2], "")
	require.Equal(t, http.StatusNoContent, code)
	page := ask[Page](t, b, "ann", http.MethodGet, "/v1/alerts?after="+made[2], "", http.StatusOK)
	require.Equal(t, made[3:], ids(page.Rules))
}

func TestRulesAreFiltered(t *testing.T) {
	t.Parallel()
	b := start(t)
	acme, btc, hook := b.set(t, "ann", simple("ACME", 1)).ID, b.set(t, "ann", simple("BTC-USD", 1)).ID, b.set(t, "ann", webhook("https://example.com")).ID
	ask[Rule](t, b, "ann", http.MethodPost, "/v1/alerts/"+acme+"/pause", "", http.StatusOK)
	for query, wanted := range map[string][]string{
		"symbol=ACME":                         {acme, hook},
		"symbol=BTC-USD":                      {btc},
		"symbol=acme":                         {},
		"kind=above":                          {acme, btc},
		"kind=below":                          {hook},
		"paused=true":                         {acme},
		"paused=false":                        {btc, hook},
		"paused=false&kind=above&symbol=ACME": {},
	} {
		page := ask[Page](t, b, "ann", http.MethodGet, "/v1/alerts?"+query, "", http.StatusOK)
		require.ElementsMatch(t, wanted, ids(page.Rules), query)
		require.Equal(t, 3, page.Total)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "after=none", "kind=magic", "paused=maybe", "symbol=" + fmt.Sprintf("%033d", 1)} {
		ask[problem](t, b, "ann", http.MethodGet, "/v1/alerts?"+query, "", http.StatusUnprocessableEntity)
	}
}

// TestAnotherInstanceLearnsOfChanges: by its watch, without having made them.
func TestAnotherInstanceLearnsOfChanges(t *testing.T) {
	t.Parallel()
	a := start(t)
	before := a.set(t, "ann", simple("ACME", 1))
	b := startOn(t, a.server)
	require.Equal(t, 1, b.index.count("ann"), "it has read what was there")
	after := a.set(t, "ann", simple("ACME", 2))
	listed := func(b *bench, query string) []string {
		return ids(ask[Page](t, b, "ann", http.MethodGet, "/v1/alerts"+query, "", http.StatusOK).Rules)
	}
	require.Eventually(t, func() bool { return len(listed(b, "")) == 2 }, patience, 20*time.Millisecond)
	ask[Rule](t, a, "ann", http.MethodPost, "/v1/alerts/"+after.ID+"/pause", "", http.StatusOK)
	require.Eventually(t, func() bool { return slices.Equal(listed(b, "?paused=true"), []string{after.ID}) }, patience, 20*time.Millisecond)
	code, _, _ := b.call(t, "ann", http.MethodDelete, "/v1/alerts/"+before.ID, "")
	require.Equal(t, http.StatusNoContent, code)
	require.Equal(t, []string{after.ID}, listed(a, ""), "the record says that it is gone before the watch does")
	require.Eventually(t, func() bool { return a.index.count("ann") == 1 }, patience, 20*time.Millisecond)
}

// TestWritersReadTheirOwnChanges: whatever the watch tells meanwhile.
func TestWritersReadTheirOwnChanges(t *testing.T) {
	t.Parallel()
	b := start(t)
	var all sync.WaitGroup
	for i := range 4 {
		owner := fmt.Sprintf("owner-%d", i)
		all.Go(func() {
			for range 10 {
				rule := b.set(t, owner, simple("ACME", 1))
				list := func(query string) []string {
					return ids(ask[Page](t, b, owner, http.MethodGet, "/v1/alerts"+query, "", http.StatusOK).Rules)
				}
				ok := slices.Equal(list(""), []string{rule.ID})
				ask[Rule](t, b, owner, http.MethodPost, "/v1/alerts/"+rule.ID+"/pause", "", http.StatusOK)
				ok = ok && slices.Equal(list("?paused=true"), []string{rule.ID}) && len(list("?paused=false")) == 0
				b.call(t, owner, http.MethodDelete, "/v1/alerts/"+rule.ID, "")
				if !ok || len(list("")) != 0 {
					t.Errorf("%s does not see what it did", owner)
				}
			}
		})
	}
	all.Wait()
	require.Eventually(t, func() bool { return b.index.size() == 0 }, patience, 20*time.Millisecond)
}

func TestBeforeItHasReadTheRulesTheServiceSaysSo(t *testing.T) {
	t.Parallel()
	ran := start(t)
	b := serve(t, ran.server)
	require.Error(t, b.Ready(within(t)))
	require.NoError(t, ran.Ready(within(t)))
	rule := ran.set(t, "ann", simple("ACME", 1))
	require.Equal(t, rule, ask[Rule](t, b, "ann", http.MethodGet, "/v1/alerts/"+rule.ID, "", http.StatusOK))
	code, header, answer := b.call(t, "ann", http.MethodGet, "/v1/alerts", "")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "2", header.Get("Retry-After"))
	require.Contains(t, decode[problem](t, answer).Detail, "still reading")
}

// TestTheIndexTakesTheLatest: revisions come late, twice and after deletions.
func TestTheIndexTakesTheLatest(t *testing.T) {
	t.Parallel()
	x := newIndex()
	rule := contract.Rule{Owner: "ann", ID: "a", Symbol: "ACME"}
	all := func(entry) bool { return true }
	x.put(rule, 5)
	rule.Symbol = "OLD"
	x.put(rule, 4)
	x.remove("ann/a", 4)
	require.True(t, x.knows("ann/a", 5))
	require.False(t, x.knows("ann/a", 6))
	entries, _ := x.page("ann", "", 9, all)
	require.Len(t, entries, 1)
	require.Equal(t, "ACME", entries[0].symbol.Value())
	x.remove("ann/a", 6)
	x.remove("ann/a", 6)
	require.Zero(t, x.count("ann"))
	require.Zero(t, x.size())
	require.Empty(t, x.counts)
}

// BenchmarkList starts a service that finds an owner with 100,000 rules, and
// lists pages of them.
func BenchmarkList(b *testing.B) {
	const count = 100_000
	bench := start(b)
	template := contract.Rule{
		Condition: contract.Condition{Kind: contract.Above, Price: 1}, Channel: contract.Channel{Kind: contract.Email, Address: "ann@example.com"},
	}
	base := time.Now().Add(-count * time.Second)
	var all sync.WaitGroup
	for part := range 64 {
		all.Go(func() {
			for i := part; i < count; i += 64 {
				rule := template
				rule.Owner, rule.Symbol = "ann", fmt.Sprintf("S%d", i%1000)
				rule.ID = contract.NewUploadID(base.Add(time.Duration(i) * time.Second))
				if _, err := bench.store(context.Background(), rule, 0); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			startOn(b, bench.server)
		}
	})
	after := "&after=" + ask[Page](b, bench, "ann", http.MethodGet, "/v1/alerts?limit=1000", "", http.StatusOK).Next
	for _, query := range []string{"limit=50", "limit=50" + after, "limit=1000", "limit=50&symbol=S998", "limit=50&paused=true"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				ask[Page](b, bench, "ann", http.MethodGet, "/v1/alerts?"+query, "", http.StatusOK)
			}
		})
	}
}
