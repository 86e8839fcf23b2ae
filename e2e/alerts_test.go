package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/alerts"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator/mail"
)

// watcher is somebody who is told when a price is far from what it was.
type watcher struct {
	run
	address string // of the mails
	rule    alerts.Rule
	high    contract.Quote // the price that the rule waits for
	usual   contract.Quote
}

// watch sets a rule on the first symbol of the market for an address that nobody
// else has.
func (r run) watch() *watcher {
	r.Helper()
	w := &watcher{run: r, address: fmt.Sprintf("reader-%d@drydock.example", rand.Uint64())}
	var listed struct{ Symbols []struct{ Symbol string } }
	r.call(http.MethodGet, "market", "/v1/symbols", nil, &listed)
	require.NotEmpty(r, listed.Symbols)
	symbol := listed.Symbols[0].Symbol
	var last struct{ Quotes []contract.Quote }
	r.call(http.MethodGet, "market", "/v1/quotes?symbols="+url.QueryEscape(symbol), nil, &last)
	require.NotEmpty(r, last.Quotes)
	w.usual = contract.Quote{Symbol: symbol, Price: last.Quotes[0].Price, Volume: 1}
	w.high = contract.Quote{Symbol: symbol, Price: 4 * w.usual.Price, Volume: 1}
	r.call(http.MethodPost, "alerts", "/v1/alerts", map[string]any{
		"symbol": symbol, "note": "Look here.",
		"condition": contract.Condition{Kind: contract.Above, Price: 3 * w.usual.Price},
		"channel":   contract.Channel{Kind: contract.Email, Address: w.address},
	}, &w.rule)
	return w
}

// fire moves the price until something has come of it: an instance that takes
// over, or a feed that began anew, may not have seen it the first time. Then the
// price is as it was.
func (w *watcher) fire(what string, came func(context.Context) error) {
	w.Helper()
	var moved time.Time
	w.await(what, func(ctx context.Context) error {
		if time.Since(moved) > 5*time.Second {
			if err := w.web.call(ctx, http.MethodPost, "market", "/v1/quotes", w.high, nil); err != nil {
				return err
			}
			moved = time.Now()
		}
		return came(ctx)
	})
	w.call(http.MethodPost, "market", "/v1/quotes", w.usual, nil)
}

// end removes the rule; mails of it that are under way are not sent any more.
func (w *watcher) end() {
	w.Helper()
	w.call(http.MethodDelete, "alerts", "/v1/alerts/"+w.rule.ID, nil, nil)
}

// mailed is an error until there is a mail for the address.
func (w *watcher) mailed(ctx context.Context) error {
	var inbox []mail.Message
	if err := w.web.call(ctx, http.MethodGet, "inbox-page", "/v1/messages?to="+url.QueryEscape(w.address), nil, &inbox); err != nil {
		return err
	}
	if len(inbox) == 0 {
		return errors.New("there is no mail for " + w.address)
	}
	require.Contains(w, inbox[0].Subject, w.usual.Symbol)
	return nil
}
