package alerts

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

func TestReadersUnsubscribeByTheButtonAlone(t *testing.T) {
	t.Parallel()
	b := start(t)
	const address = "Ann+<b>@example.com"
	path := contract.PathUnsubscribe + contract.UnsubscribeToken(secretKey, address)
	suppressed := "/v1/suppressions/" + url.PathEscape("ann+<b>@EXAMPLE.com") // whatever its case

	for range 3 { // scanners of mail follow links
		code, header, page := b.call(t, "", http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
		require.Equal(t, letterPolicy, header.Get("Content-Security-Policy"))
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		require.Contains(t, string(page), `<form method="post">`)
		require.Contains(t, string(page), "Ann&#43;&lt;b&gt;@example.com")
		ask[problem](t, b, "", http.MethodGet, suppressed, "", http.StatusNotFound)
	}
	for range 2 { // RFC 8058's request; again is no error
		code, header, page := b.call(t, "", http.MethodPost, path, "List-Unsubscribe=One-Click", "Content-Type", "application/x-www-form-urlencoded")
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
		require.Contains(t, string(page), "Unsubscribed")
		require.NotContains(t, string(page), "<form")
	}
	found := ask[Suppression](t, b, "", http.MethodGet, suppressed, "", http.StatusOK)
	require.Equal(t, address, found.Address)
	require.Equal(t, "unsubscribed", found.Reason)
	require.WithinDuration(t, time.Now(), found.At, patience)
	require.InDelta(t, 1, b.counted(t, "drydock_alerts_unsubscribed_total"), 0)

	for range 2 {
		code, _, _ := b.call(t, "", http.MethodDelete, suppressed, "")
		require.Equal(t, http.StatusNoContent, code)
		ask[problem](t, b, "", http.MethodGet, suppressed, "", http.StatusNotFound)
	}
}

func TestALinkThatWasNotSentStopsNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	good := contract.UnsubscribeToken(secretKey, "ann@example.com")
	for _, token := range []string{
		"x", "a.b", good + "A", good[1:], good[:len(good)-6], contract.UnsubscribeToken([]byte("another secret"), "ann@example.com"),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			code, header, page := b.call(t, "", method, contract.PathUnsubscribe+token, "")
			require.Equal(t, http.StatusNotFound, code, token)
			require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
			require.NotContains(t, string(page), "<form")
		}
	}
	ask[problem](t, b, "", http.MethodGet, "/v1/suppressions/ann@example.com", "", http.StatusNotFound)
}

func TestUnsubscribingKeepsWhatTheMailServerSaid(t *testing.T) {
	t.Parallel()
	b := start(t)
	words := contract.Suppression{Address: "ann@example.com", Reason: "550 no such user", At: time.Now().UTC()}
	value, err := json.Marshal(words)
	require.NoError(t, err)
	_, err = b.options.Mail.Put(within(t), contract.SuppressionKey("ann@example.com"), value, 0, 0)
	require.NoError(t, err)
	code, _, _ := b.call(t, "", http.MethodPost, contract.PathUnsubscribe+contract.UnsubscribeToken(secretKey, "ann@example.com"), "")
	require.Equal(t, http.StatusOK, code)
	found := ask[Suppression](t, b, "", http.MethodGet, "/v1/suppressions/ann@example.com", "", http.StatusOK)
	require.Equal(t, words.Reason, found.Reason)
}
