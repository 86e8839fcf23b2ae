package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/alerts"
	"github.com/drydock/drydock/cloud"
	cloudnats "github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/emulator/mail"
	"github.com/drydock/drydock/emulator/market"
	"github.com/drydock/drydock/operate/deadletter"
	"github.com/drydock/drydock/operate/demo"
)

func TestDemoAlerts(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	addresses := []string{"--api", stack.URL("alerts"), "--market", stack.Market.URL(), "--inbox", stack.Mail.URL()}
	c := startProgram(t, append([]string{"demo", "alerts"}, addresses...)...)
	require.Equal(t, 0, c.wait(), &c.stderr)
	assert.Regexp(t, `(?s)^ACME is at [\d.]+\. 4 alerts are set for \S+@drydock\.example\.\nA crash of 20 % .*\n\nmail +after the quote +where\nACME .* ms +http://`, c.stdout.String())
	assert.Equal(t, 4, strings.Count(c.stdout.String(), "\nMail: "))
	var left alerts.Page
	fetchJSON(t, stack.URL("alerts")+"/v1/alerts", &left)
	assert.Empty(t, left.Rules, "it removes what it has set")

	c = startProgram(t, append([]string{"demo", "alerts", "--json"}, addresses...)...)
	require.Equal(t, 0, c.wait(), &c.stderr)
	var report demo.AlertsReport
	require.NoError(t, json.Unmarshal([]byte(c.stdout.String()), &report))
	assert.Len(t, report.Mails, 4)
	for _, sent := range report.Mails {
		assert.Positive(t, sent.Took)
	}

	for args, says := range map[string]string{
		"--market http://127.0.0.1:1": "^drydock: reach the market feed: .*connection refused; start it with `drydock up`, or name another with --market\n$",
		"--api http://127.0.0.1:1":    "^drydock: set an alert: .*connection refused; start the alerts API with `drydock up`, or name another with --api\n$",
		"--wait 0s":                   `^drydock: --wait 0s is not more than 0\n$`,
	} {
		args := append([]string{"demo", "alerts"}, append(addresses, strings.Fields(args)...)...)
		assert.Regexp(t, says, startProgram(t, args...).fails())
	}
}

// watcher sets rules and moves prices.
type watcher struct {
	*testing.T
	stack *emulator.Stack
}

// setAbove sets a rule that fires when ACME is at a price it never has by itself.
func (w watcher) setAbove(price float64, channel map[string]string) alerts.Rule {
	w.Helper()
	body, err := json.Marshal(map[string]any{
		"symbol": "ACME", "note": "Look here.", "condition": map[string]any{"kind": contract.Above, "price": price}, "channel": channel,
	})
	require.NoError(w, err)
	var made alerts.Rule
	require.NoError(w, do(w.Context(), http.MethodPost, w.stack.URL("alerts")+"/v1/alerts", map[string]string{"Content-Type": "application/json"}, body, &made))
	return made
}

// price moves ACME's price, which wanders on from there: one that is far over a
// rule's stays over it until the rule is known to the filter, however late.
func (w watcher) price(price float64) {
	w.Helper()
	_, err := w.stack.Market.Inject(contract.Quote{Symbol: "ACME", Price: price, Volume: 1})
	require.NoError(w, err)
}

// mailTo waits for the mails of an address.
func (w watcher) mailTo(address string, count int) (found []mail.Message) {
	w.Helper()
	await(w.T, func(context.Context) error {
		all, err := w.stack.Mail.Messages()
		if err != nil {
			return err
		}
		found = nil
		for _, message := range all {
			if message.Recipients[0] == address {
				found = append(found, message)
			}
		}
		if len(found) < count {
			return fmt.Errorf("%d of %d mails to %s", len(found), count, address)
		}
		return nil
	})
	return found
}

// quote finds the event of the quote that ACME had at a time.
func (w watcher) quote(at time.Time) cloud.Event {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), awaitAtMost)
	defer cancel()
	bus, err := cloudnats.OpenBus(ctx, w.stack.NATSURL())
	require.NoError(w, err)
	defer bus.Close()
	for entry, err := range bus.Read(ctx, contract.TopicQuote("ACME"), cloud.Start{}) {
		require.NoError(w, err)
		if entry.Event.Time.Equal(at) {
			return entry.Event
		}
	}
	w.Fatalf("there is no quote of %v", at)
	return cloud.Event{}
}

// letter waits for the one dead letter of the mailer.
func (w watcher) letter() (found deadletter.Letter) {
	w.Helper()
	await(w.T, func(context.Context) error {
		c := startProgram(w.T, "deadletter", "list", "--json", "--consumer", "mailer", "--api", w.stack.URL("deadletters"))
		require.Equal(w, 0, c.wait(), &c.stderr)
		var letters []deadletter.Letter
		require.NoError(w, json.Unmarshal([]byte(c.stdout.String()), &letters), c.stdout.String())
		if len(letters) == 0 {
			return errors.New("no dead letter")
		}
		require.Len(w, letters, 1)
		found = letters[0]
		return nil
	})
	return found
}

func TestADeadLetterIsMendedAndSentAgain(t *testing.T) {
	t.Parallel()
	w := watcher{t, startStack(t, emulator.Options{Market: market.Options{Seed: 7}})}
	const address = "ann@drydock.example"
	require.NoError(t, w.stack.Mail.SetFault(mail.Fault{Kind: mail.RejectRecipient, Recipient: address, Code: 550, Words: "5.1.1 No such mailbox here"}))
	w.setAbove(100_000, map[string]string{"kind": contract.Email, "address": address})
	w.price(150_000)

	letter := w.letter()
	assert.Equal(t, "permanent", letter.Reason)
	assert.Contains(t, letter.LastError, "No such mailbox here", "the server's own words")
	assert.Equal(t, w.quote(letter.Event.Time).Trace().ID(), cloud.ParseTrace(letter.Event.TraceParent).ID(), "from the quote to its mail it is one trace")
	suppressed := w.stack.URL("alerts") + "/v1/suppressions/" + url.PathEscape(address)
	var suppression struct{ Reason string }
	fetchJSON(t, suppressed, &suppression)
	assert.Contains(t, suppression.Reason, "No such mailbox here")

	// The mailbox is there now, and the address is wanted again.
	w.stack.Mail.ClearFaults()
	require.NoError(t, do(t.Context(), http.MethodDelete, suppressed, nil, nil, nil))
	c := startProgram(t, "deadletter", "redrive", letter.ID, "--yes", "--api", w.stack.URL("deadletters"))
	require.Equal(t, 0, c.wait(), &c.stderr)
	got := w.mailTo(address, 1)
	assert.Contains(t, got[0].Subject, "ACME")
	assert.Contains(t, got[0].Text, "Look here.")
	c = startProgram(t, "deadletter", "list", "--json", "--api", w.stack.URL("deadletters"))
	require.Equal(t, 0, c.wait(), &c.stderr)
	assert.JSONEq(t, "[]", c.stdout.String())
}

func TestAReaderUnsubscribes(t *testing.T) {
	t.Parallel()
	w := watcher{t, startStack(t, emulator.Options{})}
	const address = "bob@drydock.example"
	w.setAbove(100_000, map[string]string{"kind": contract.Email, "address": address})
	w.price(150_000)
	var link string
	for _, header := range w.mailTo(address, 1)[0].Headers {
		if header.Name == "List-Unsubscribe" {
			link = strings.Trim(header.Value, "<>")
		}
	}
	require.Regexp(t, regexp.QuoteMeta(w.stack.URL("alerts")+contract.PathUnsubscribe), link)
	require.NoError(t, do(t.Context(), http.MethodPost, link, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte("List-Unsubscribe=One-Click"), nil))

	const other = "carol@drydock.example"
	w.setAbove(200_000, map[string]string{"kind": contract.Email, "address": address})
	w.setAbove(200_000, map[string]string{"kind": contract.Email, "address": other})
	w.price(300_000)
	w.mailTo(other, 1)
	assert.Len(t, w.mailTo(address, 1), 1, "no more came after it")
}

func TestARuleIsTriedOnTheLastMonth(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	price := lastPrice(t, stack, "ACME")
	body, err := json.Marshal(map[string]any{"rule": map[string]any{
		"symbol": "ACME", "condition": map[string]any{"kind": contract.Crosses, "price": price}, "repeat": true,
		"channel": map[string]string{"kind": contract.Email, "address": "ann@drydock.example"},
	}})
	require.NoError(t, err)
	var tried alerts.DryRun
	require.NoError(t, do(t.Context(), http.MethodPost, stack.URL("alerts")+"/v1/alerts/dry-run", map[string]string{"Content-Type": "application/json"}, body, &tried))
	assert.InDelta(t, 30*24*60, tried.Quotes, 2, "one a minute")
	assert.Positive(t, tried.Fired)
	assert.Regexp(t, `^would have fired \d+ times? from `, tried.Text)
}

func TestAWebhookIsCalled(t *testing.T) {
	t.Parallel()
	w := watcher{t, startStack(t, emulator.Options{})}
	type call struct {
		header http.Header
		body   []byte
	}
	calls := make(chan call, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		calls <- call{r.Header, body}
	}))
	defer receiver.Close()
	rule := w.setAbove(100_000, map[string]string{"kind": contract.Webhook, "address": receiver.URL + "/hook"})
	require.Regexp(t, `^whsec_`, rule.Channel.Secret)
	w.price(150_000)
	select {
	case got := <-calls:
		assert.Regexp(t, "^"+rule.ID+`\.`, got.header.Get("webhook-id"))
		assert.Regexp(t, `^v1,`, got.header.Get("webhook-signature"))
		assert.Contains(t, string(got.body), `"symbol":"ACME"`)
		assert.Contains(t, string(got.body), "Look here.")
	case <-time.After(awaitAtMost):
		t.Fatal("nobody called")
	}
}
