package alerts

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

func TestARuleIsReplaced(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", simple("ACME", 1))
	path := "/v1/alerts/" + rule.ID
	_, header, _ := b.call(t, "ann", http.MethodGet, path, "")
	tag := header.Get("ETag")

	next := ask[Rule](t, b, "ann", http.MethodPut, path, simple("BTC-USD", 2), http.StatusOK, "If-Match", tag)
	require.Equal(t, "BTC-USD", next.Symbol)
	require.Equal(t, rule.ID, next.ID)
	require.Equal(t, rule.Created, next.Created)
	require.True(t, next.Changed.After(rule.Changed))
	require.Greater(t, next.Revision, rule.Revision)
	require.Equal(t, next, ask[Rule](t, b, "ann", http.MethodGet, path, "", http.StatusOK))

	for _, old := range []string{tag, `"none"`, `17`, `W/` + etag(next.Revision)} {
		ask[problem](t, b, "ann", http.MethodPut, path, simple("ACME", 3), http.StatusPreconditionFailed, "If-Match", old)
	}
	require.Equal(t, next, ask[Rule](t, b, "ann", http.MethodGet, path, "", http.StatusOK))
	for _, good := range []string{"", "*"} {
		ask[Rule](t, b, "ann", http.MethodPut, path, simple("ACME", 3), http.StatusOK, "If-Match", good)
	}
	now := ask[Rule](t, b, "ann", http.MethodGet, path, "", http.StatusOK)
	ask[Rule](t, b, "ann", http.MethodPut, path, simple("ACME", 4), http.StatusOK, "If-Match", `"1", `+etag(now.Revision))
	ask[problem](t, b, "ann", http.MethodPut, "/v1/alerts/none", simple("ACME", 4), http.StatusNotFound)
}

// TestAChangeMeanwhileIsAConflict: between the reading and the writing of a
// replacement, somebody else changes the rule.
func TestAChangeMeanwhileIsAConflict(t *testing.T) {
	t.Parallel()
	var b *bench
	var meddle atomic.Bool
	b = start(t, func(o *Options) {
		o.Rules = changed{o.Rules, func(key string) error {
			if !meddle.CompareAndSwap(true, false) {
				return nil
			}
			record, err := b.rules.Get(within(t), key)
			if err == nil {
				_, err = b.rules.Put(within(t), key, record.Value, record.Revision, 0)
			}
			return err
		}}
	})
	rule := b.set(t, "ann", simple("ACME", 1))
	path := "/v1/alerts/" + rule.ID
	meddle.Store(true)
	ask[problem](t, b, "ann", http.MethodPut, path, simple("ACME", 2), http.StatusConflict)
	meddle.Store(true)
	ask[problem](t, b, "ann", http.MethodPut, path, simple("ACME", 2), http.StatusPreconditionFailed, "If-Match", "*")
	require.Equal(t, 1.0, b.kept(t, "ann", rule.ID).Condition.Price)

	meddle.Store(true) // actions are done again on what is there now
	require.True(t, ask[Rule](t, b, "ann", http.MethodPost, path+"/pause", "", http.StatusOK).Paused)
	require.False(t, meddle.Load())
	require.True(t, b.kept(t, "ann", rule.ID).Paused)
}

func TestARuleIsPausedAndResumed(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", simple("ACME", 1))
	path := "/v1/alerts/" + rule.ID
	require.Equal(t, rule, ask[Rule](t, b, "ann", http.MethodPost, path+"/resume", "", http.StatusOK), "nothing to resume")
	paused := ask[Rule](t, b, "ann", http.MethodPost, path+"/pause", "", http.StatusOK)
	require.True(t, paused.Paused)
	require.True(t, paused.Changed.After(rule.Changed))
	require.Equal(t, paused, ask[Rule](t, b, "ann", http.MethodPost, path+"/pause", "", http.StatusOK), "nothing to pause")
	resumed := ask[Rule](t, b, "ann", http.MethodPost, path+"/resume", "", http.StatusOK)
	require.False(t, resumed.Paused)
	require.True(t, resumed.Changed.After(paused.Changed))
	require.False(t, b.kept(t, "ann", rule.ID).Paused)
}

func TestActionsAtOnceAllComeToTheirEnd(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", webhook("https://example.com/a"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			code, _, answer := b.call(t, "ann", http.MethodPost, "/v1/alerts/"+rule.ID+"/rotate-secret", "")
			if code != http.StatusOK {
				t.Errorf("%d: %s", code, answer)
			}
		})
	}
	all.Wait()
	require.NotEqual(t, rule.Channel.Secret, b.kept(t, "ann", rule.ID).Channel.Secret)
}

func TestARuleIsDeleted(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", simple("ACME", 1))
	code, _, body := b.call(t, "ann", http.MethodDelete, "/v1/alerts/"+rule.ID, "")
	require.Equal(t, http.StatusNoContent, code)
	require.Empty(t, body)
	for _, request := range []string{"GET ", "DELETE ", "POST /pause", "POST /resume", "POST /rotate-secret", "POST /dry-run"} {
		method, action, _ := strings.Cut(request, " ")
		said := ask[problem](t, b, "ann", method, "/v1/alerts/"+rule.ID+action, "", http.StatusNotFound)
		require.Contains(t, said.Detail, rule.ID)
	}
	require.Empty(t, ask[Page](t, b, "ann", http.MethodGet, "/v1/alerts", "", http.StatusOK).Rules)
	require.Zero(t, b.index.count("ann"))
}

func TestOwnersSeeTheirOwnRulesAlone(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", webhook("https://example.com/a"))
	path := "/v1/alerts/" + rule.ID
	for _, owner := range []string{"bob", "an", "anna", "ann0"} {
		for _, request := range []string{"GET ", "PUT ", "DELETE ", "POST /pause", "POST /resume", "POST /rotate-secret", "POST /dry-run"} {
			method, action, _ := strings.Cut(request, " ")
			body := ""
			if method == http.MethodPut {
				body = simple("ACME", 2)
			}
			code, _, answer := b.call(t, owner, method, path+action, body)
			require.Equal(t, http.StatusNotFound, code, "%s %s: %s", owner, request, answer)
		}
		page := ask[Page](t, b, owner, http.MethodGet, "/v1/alerts", "", http.StatusOK)
		require.Empty(t, page.Rules)
		require.Zero(t, page.Total)
	}
	ask[problem](t, b, "ann", http.MethodGet, "/v1/alerts/bob%2F"+rule.ID, "", http.StatusNotFound)
	require.Equal(t, rule.Channel.Secret, b.kept(t, "ann", rule.ID).Channel.Secret)
	require.Equal(t, fmt.Sprint(rule.Condition), fmt.Sprint(b.kept(t, "ann", rule.ID).Condition))
	require.Equal(t, contract.Webhook, b.kept(t, "ann", rule.ID).Channel.Kind)
}
