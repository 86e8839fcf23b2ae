package alerts

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

func TestARuleIsSetAndShown(t *testing.T) {
	t.Parallel()
	b := start(t)
	const body = `{"symbol":"ACME","note":"sell","condition":{"kind":"change","percent":-5,"window":300,"hysteresis":1},
		"repeat":true,"cool_down":60,"active":{"days":["mon"],"from":"09:30","to":"16:00","time_zone":"America/New_York"},
		"expires":"2100-01-01T00:00:00Z","channel":{"kind":"email","address":"ann@example.com"}}`
	rule := b.set(t, "ann", body)
	require.WithinDuration(t, time.Now(), rule.Created, patience)
	require.WithinDuration(t, time.Now(), rule.Changed, patience)

	got := ask[Rule](t, b, "ann", http.MethodGet, "/v1/alerts/"+rule.ID, "", http.StatusOK)
	require.Equal(t, rule, got)
	kept := b.kept(t, "ann", rule.ID)
	require.NoError(t, kept.Check())
	require.Equal(t, contract.Rule{
		ID: rule.ID, Owner: "ann", Symbol: "ACME", Note: "sell",
		Condition: contract.Condition{Kind: contract.Change, Percent: -5, Window: 300, Hysteresis: 1},
		Repeat:    true, CoolDown: 60, Active: &contract.Hours{Days: []string{"mon"}, From: "09:30", To: "16:00", TimeZone: "America/New_York"},
		Expires: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		Channel: contract.Channel{Kind: contract.Email, Address: "ann@example.com"},
		Created: rule.Created, Changed: rule.Changed,
	}, kept)
	require.InDelta(t, 1, b.counted(t, "drydock_alerts_rules_created_total"), 0)
	require.InDelta(t, 1, b.counted(t, "drydock_alerts_rules"), 0)
}

func TestWhatIsNoRuleIsRefused(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", simple("ACME", 1))
	const channel = `"channel":{"kind":"email","address":"ann@example.com"}`
	for _, test := range []struct {
		name, body string
		status     int
		places     []string // of faults, all of them
	}{
		{"no body", ``, http.StatusBadRequest, nil},
		{"no JSON", `{`, http.StatusBadRequest, nil},
		{"an unknown field", `{"symbol":"ACME","prize":1,"condition":{"kind":"above","price":1},` + channel + `}`, 422, []string{"body.prize"}},
		{"a rule without anything", `{}`, 422, []string{"body", "body.symbol", "body.condition.kind", "body.channel.kind"}},
		{"an unknown condition", `{"symbol":"ACME","condition":{"kind":"magic"},` + channel + `}`, 422, []string{"body.condition.kind"}},
		{"no level", `{"symbol":"ACME","condition":{"kind":"above"},` + channel + `}`, 422, []string{"body.condition"}},
		{"a level under 0", `{"symbol":"ACME","condition":{"kind":"above","price":-1},` + channel + `}`, 422, []string{"body.condition.price"}},
		{"a window for a level", `{"symbol":"ACME","condition":{"kind":"above","price":1,"window":5},` + channel + `}`, 422, []string{"body.condition.window"}},
		{"a window of a week", `{"symbol":"ACME","condition":{"kind":"change","percent":1,"window":604800},` + channel + `}`, 422, []string{"body.condition.window"}},
		{"a fall by everything", `{"symbol":"ACME","condition":{"kind":"change","percent":-100,"window":60},` + channel + `}`, 422, []string{"body.condition.percent"}},
		{"a factor under 0", `{"symbol":"ACME","condition":{"kind":"volume","factor":-3,"window":60},` + channel + `}`, 422, []string{"body.condition.factor"}},
		{"a hysteresis under 0", `{"symbol":"ACME","condition":{"kind":"above","price":1,"hysteresis":-1},` + channel + `}`, 422, []string{"body.condition.hysteresis"}},
		{"a long cool-down", `{"symbol":"ACME","cool_down":99999999,"condition":{"kind":"above","price":1},` + channel + `}`, 422, []string{"body.cool_down"}},
		{"a long note", `{"symbol":"ACME","note":"` + strings.Repeat("n", 501) + `","condition":{"kind":"above","price":1},` + channel + `}`, 422, []string{"body.note"}},
		{"no time zone", `{"symbol":"ACME","active":{"from":"09:00","to":"10:00","time_zone":"Mars/Base"},"condition":{"kind":"above","price":1},` + channel + `}`, 422, []string{"body.active"}},
		{"too many days", `{"symbol":"ACME","active":{"days":["mon","mon","mon","mon","mon","mon","mon","mon"],"from":"09:00","to":"10:00","time_zone":"UTC"},"condition":{"kind":"above","price":1},` + channel + `}`, 422, []string{"body.active.days"}},
		{"it has ended", `{"symbol":"ACME","expires":"2001-01-01T00:00:00Z","condition":{"kind":"above","price":1},` + channel + `}`, 422, []string{"body.expires"}},
		{"no address", `{"symbol":"ACME","condition":{"kind":"above","price":1},"channel":{"kind":"email","address":"Ann <ann@example.com>"}}`, 422, []string{"body.channel.address"}},
		{"no URL", `{"symbol":"ACME","condition":{"kind":"above","price":1},"channel":{"kind":"webhook","address":"ftp://example.com"}}`, 422, []string{"body.channel.address"}},
		{"a secret of one's own", `{"symbol":"ACME","condition":{"kind":"above","price":1},"channel":{"kind":"webhook","address":"https://example.com","secret":"x"}}`, 422, []string{"body.channel.secret"}},
		{"no symbol of the market", simple("NONE", 1), 422, []string{"body.symbol"}},
		{"everything at once", `{"symbol":"A B","cool_down":-1,"condition":{"kind":"above","price":-1,"hysteresis":-1},"channel":{"kind":"email","address":"nobody"}}`, 422,
			[]string{"body.symbol", "body.cool_down", "body.condition.price", "body.condition.hysteresis", "body.channel.address"}},
		{"too long", `{"note":"` + strings.Repeat("n", maxBody) + `"}`, http.StatusRequestEntityTooLarge, nil},
	} {
		for method, path := range map[string]string{http.MethodPost: "/v1/alerts", http.MethodPut: "/v1/alerts/" + rule.ID} {
			code, header, answer := b.call(t, "ann", method, path, test.body)
			if !assert.Equal(t, test.status, code, "%s %s: %s", method, test.name, answer) {
				continue
			}
			assert.Equal(t, "application/problem+json", header.Get("Content-Type"), test.name)
			said := decode[struct {
				problem
				Schema string `json:"$schema"`
			}](t, answer)
			places := map[string]bool{}
			for _, fault := range said.Errors {
				places[fault.Location] = true
				assert.NotEmpty(t, fault.Message, test.name)
			}
			for _, place := range test.places {
				assert.True(t, places[place], "%s %s: %s", method, test.name, answer)
				delete(places, place)
			}
			if test.places != nil {
				assert.Empty(t, places, "%s %s: %s", method, test.name, answer)
			}
		}
	}
	require.Equal(t, rule, ask[Rule](t, b, "ann", http.MethodGet, "/v1/alerts/"+rule.ID, "", http.StatusOK))
}

func TestAnySymbolCountsWhileTheMarketIsAway(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.market.err = errAway
	b.set(t, "ann", simple("NONE", 1))
	b.set(t, "ann", simple("NEVER", 1))
	require.Equal(t, 1, b.market.asked, "it is not asked at every request")

	b.market.err = nil
	later := time.Now().Add(symbolsKeep)
	require.True(t, b.symbols.known(within(t), "ACME", later))
	require.False(t, b.symbols.known(within(t), "NONE", later))
	b.market.err = errAway
	require.False(t, b.symbols.known(within(t), "NONE", later.Add(symbolsKeep)), "what it said before stays true")
	require.Equal(t, 3, b.market.asked)
}

func TestAnIdempotencyKeyMakesOneRule(t *testing.T) {
	t.Parallel()
	b := start(t)
	first := b.set(t, "ann", webhook("https://example.com/a"), "Idempotency-Key", "k1")
	require.NotEmpty(t, first.Channel.Secret)
	require.Equal(t, first, b.set(t, "ann", webhook("https://example.com/a"), "Idempotency-Key", "k1"), "the whole answer comes again")

	said := ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts", webhook("https://example.com/b"), 422, "Idempotency-Key", "k1")
	require.Equal(t, "header.Idempotency-Key", said.Errors[0].Location)
	require.NotEqual(t, first.ID, b.set(t, "ann", webhook("https://example.com/a"), "Idempotency-Key", "k2").ID)
	require.NotEqual(t, first.ID, b.set(t, "bob", webhook("https://example.com/a"), "Idempotency-Key", "k1").ID, "keys are an owner's own")
	require.NotEqual(t, b.set(t, "ann", simple("ACME", 1)).ID, b.set(t, "ann", simple("ACME", 1)).ID)
	ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts", simple("ACME", 1), 422, "Idempotency-Key", strings.Repeat("k", 256))

	code, _, _ := b.call(t, "ann", http.MethodDelete, "/v1/alerts/"+first.ID, "")
	require.Equal(t, http.StatusNoContent, code)
	gone := ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts", webhook("https://example.com/a"), http.StatusConflict, "Idempotency-Key", "k1")
	require.Contains(t, gone.Detail, "was deleted")
}

func TestRequestsOfOneKeyAtOnceMakeOneRule(t *testing.T) {
	t.Parallel()
	b := start(t)
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { ids[i] = b.set(t, "ann", simple("ACME", 1), "Idempotency-Key", "same").ID })
	}
	all.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Equal(t, 1, b.index.count("ann"))
}

// TestAnIdempotencyKeyEndsWhatWasBegun: the first request ends after it has
// taken the key, or after it has made the rule.
func TestAnIdempotencyKeyEndsWhatWasBegun(t *testing.T) {
	t.Parallel()
	var failing atomic.Pointer[string]
	none, rule := "", "rule"
	failing.Store(&none)
	var puts atomic.Int64
	b := start(t, func(o *Options) {
		o.Rules = changed{o.Rules, func(string) error {
			if *failing.Load() == rule {
				return errAway
			}
			return nil
		}}
		o.Keys = changed{o.Keys, func(string) error {
			if puts.Add(1) == 3 { // after two claims, the one that says that the rule is there
				return errAway
			}
			return nil
		}}
	})
	failing.Store(&rule)
	code, header, _ := b.call(t, "ann", http.MethodPost, "/v1/alerts", simple("ACME", 1), "Idempotency-Key", "k")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "2", header.Get("Retry-After"))
	require.Zero(t, b.index.count("ann"))

	failing.Store(&none)
	ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts", simple("ACME", 1), http.StatusServiceUnavailable, "Idempotency-Key", "k")
	require.Equal(t, 1, b.index.count("ann"))
	made := b.set(t, "ann", simple("ACME", 1), "Idempotency-Key", "k")
	require.Equal(t, made, b.set(t, "ann", simple("ACME", 1), "Idempotency-Key", "k"))
	require.Equal(t, 1, b.index.count("ann"))
}

func TestAnOwnerHasSoManyRulesAndNoMore(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.MaxRules = 2 })
	first := b.set(t, "ann", simple("ACME", 1))
	b.set(t, "ann", simple("ACME", 2), "Idempotency-Key", "k")
	said := ask[problem](t, b, "ann", http.MethodPost, "/v1/alerts", simple("ACME", 3), http.StatusConflict)
	require.Contains(t, said.Detail, "at most 2")
	b.set(t, "ann", simple("ACME", 2), "Idempotency-Key", "k") // makes none
	b.set(t, "bob", simple("ACME", 3))
	code, _, _ := b.call(t, "ann", http.MethodDelete, "/v1/alerts/"+first.ID, "")
	require.Equal(t, http.StatusNoContent, code)
	b.set(t, "ann", simple("ACME", 3))
}

func TestTheSecretOfAWebhookIsToldOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", webhook("https://example.com/a"))
	raw, found := strings.CutPrefix(rule.Channel.Secret, "whsec_")
	require.True(t, found)
	bytes, err := base64.StdEncoding.DecodeString(raw)
	require.NoError(t, err)
	require.Len(t, bytes, 24)
	require.Equal(t, rule.Channel.Secret, b.kept(t, "ann", rule.ID).Channel.Secret)

	path := "/v1/alerts/" + rule.ID
	for _, request := range []string{"GET " + path, "GET /v1/alerts", "POST " + path + "/pause", "POST " + path + "/resume"} {
		method, path, _ := strings.Cut(request, " ")
		code, _, answer := b.call(t, "ann", method, path, "")
		require.Equal(t, http.StatusOK, code)
		require.NotContains(t, string(answer), "whsec_", request)
	}

	same := ask[Rule](t, b, "ann", http.MethodPut, path, webhook("https://example.com/a"), http.StatusOK)
	require.Empty(t, same.Channel.Secret)
	require.Equal(t, rule.Channel.Secret, b.kept(t, "ann", rule.ID).Channel.Secret, "the same address keeps its secret")
	moved := ask[Rule](t, b, "ann", http.MethodPut, path, webhook("https://example.com/b"), http.StatusOK)
	require.NotEqual(t, rule.Channel.Secret, moved.Channel.Secret)
	require.Equal(t, moved.Channel.Secret, b.kept(t, "ann", rule.ID).Channel.Secret)
	rotated := ask[Rule](t, b, "ann", http.MethodPost, path+"/rotate-secret", "", http.StatusOK)
	require.NotEqual(t, moved.Channel.Secret, rotated.Channel.Secret)
	require.Equal(t, rotated.Channel.Secret, b.kept(t, "ann", rule.ID).Channel.Secret)
	require.Equal(t, moved.Changed, rotated.Changed, "what the rule has seen still counts")

	mailed := ask[Rule](t, b, "ann", http.MethodPut, path, simple("ACME", 1), http.StatusOK)
	require.Empty(t, mailed.Channel.Secret)
	require.Empty(t, b.kept(t, "ann", rule.ID).Channel.Secret)
	ask[problem](t, b, "ann", http.MethodPost, path+"/rotate-secret", "", http.StatusConflict)
}

func TestWithoutItsStoreTheServiceSaysSo(t *testing.T) {
	t.Parallel()
	b := start(t)
	rule := b.set(t, "ann", simple("ACME", 1))
	record, err := json.Marshal("no rule")
	require.NoError(t, err)
	_, err = b.rules.Put(within(t), contract.RecordKey("ann", rule.ID), record, rule.Revision, 0)
	require.NoError(t, err)
	for _, request := range []string{"GET /v1/alerts/" + rule.ID, "GET /v1/alerts", "POST /v1/alerts/" + rule.ID + "/pause", "DELETE /v1/alerts/" + rule.ID} {
		method, path, _ := strings.Cut(request, " ")
		code, header, answer := b.call(t, "ann", method, path, "")
		require.Equal(t, http.StatusServiceUnavailable, code, request)
		require.Equal(t, "2", header.Get("Retry-After"), request)
		require.NotContains(t, string(answer), "unmarshal", request)
	}
}
