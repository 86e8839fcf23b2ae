package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/drydock/drydock/contract"
)

// The crash that the demo plays: deep enough for every rule that it sets.
const (
	crashPercent = 20
	crashTime    = 8 * time.Second

	inboxPause = 100 * time.Millisecond
)

// AlertsOptions say who is told what to whom. The addresses must be given.
type AlertsOptions struct {
	API    string // base URL of the alerts API
	Market string // of the market feed
	Inbox  string // of the mail server's inbox
	// Wait bounds the time from the begin of the crash to the last mail; a minute when zero.
	Wait time.Duration
	// Say, if set, is told of each step as it is done.
	Say func(string)
}

// AlertsReport is what came of a crash.
type AlertsReport struct {
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"` // before the crash
	Rules  int     `json:"rules"`
	Mails  []Mail  `json:"mails"` // in the order in which they came
}

// Mail is one that an alert has sent.
type Mail struct {
	Subject string `json:"subject"`
	URL     string `json:"url"` // of the inbox's message
	// Took is the time from the market's quote to the mail server's having the mail.
	Took time.Duration `json:"took_ns"`
}

// Alerts sets rules on one symbol of the feed, plays a crash of it, waits for
// the mail of every rule, and removes the rules. A mail that does not come in
// time is an error.
func Alerts(ctx context.Context, o AlertsOptions) (report *AlertsReport, err error) {
	if o.Wait == 0 {
		o.Wait = time.Minute
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	d := &alertsDemo{
		AlertsOptions: o,
		client:        newClient(o.API),
		address:       "demo-" + uuid.NewString()[:8] + "@drydock.example",
	}
	defer d.http.CloseIdleConnections()
	if report, err = d.choose(ctx); err != nil {
		return nil, err
	}
	rules, err := d.setRules(ctx, report)
	defer func() { err = errors.Join(err, d.removeRules(context.WithoutCancel(ctx), rules)) }()
	if err != nil {
		return nil, err
	}
	report.Rules = len(rules)
	o.Say(fmt.Sprintf("%s is at %.2f. %d alerts are set for %s.", report.Symbol, report.Price, len(rules), d.address))
	if err := d.crash(ctx, report.Symbol); err != nil {
		return nil, err
	}
	o.Say(fmt.Sprintf("A crash of %d %% over %.0f s begins.", crashPercent, crashTime.Seconds()))
	return report, d.awaitMails(ctx, report)
}

type alertsDemo struct {
	AlertsOptions
	*client
	address string // that the mails go to
}

// choose takes the feed's first symbol.
func (d *alertsDemo) choose(ctx context.Context) (*AlertsReport, error) {
	var listed struct {
		Symbols []struct{ Symbol string }
	}
	if err := d.ask(ctx, http.MethodGet, d.Market+"/v1/symbols", nil, &listed); err != nil {
		return nil, fmt.Errorf("reach the market feed: %w; start it with `drydock up`, or name another with --market", err)
	}
	if len(listed.Symbols) == 0 {
		return nil, errors.New("the market feed has no symbols")
	}
	symbol := listed.Symbols[0].Symbol
	var last struct{ Quotes []contract.Quote }
	if err := d.ask(ctx, http.MethodGet, d.Market+"/v1/quotes?symbols="+url.QueryEscape(symbol), nil, &last); err != nil {
		return nil, fmt.Errorf("ask for the price of %s: %w", symbol, err)
	}
	if len(last.Quotes) == 0 {
		return nil, fmt.Errorf("the market feed has no price of %s", symbol)
	}
	return &AlertsReport{Symbol: symbol, Price: last.Quotes[0].Price}, nil
}

// setRules returns the identifiers of those that were set, also when one failed.
func (d *alertsDemo) setRules(ctx context.Context, r *AlertsReport) (ids []string, err error) {
	level := func(share float64) float64 { return math.Round(r.Price*share*100) / 100 }
	for _, rule := range []contract.Rule{
		{Note: "Down by 5 %.", Condition: contract.Condition{Kind: contract.Below, Price: level(.95)}},
		{Note: "It went through the level.", Condition: contract.Condition{Kind: contract.Crosses, Price: level(.90)}},
		{Note: "Down by 15 %.", Condition: contract.Condition{Kind: contract.Below, Price: level(.85)}},
		{Note: "It falls fast.", Condition: contract.Condition{Kind: contract.Change, Percent: -5, Window: 5}},
	} {
		var made struct{ ID string }
		if err := d.ask(ctx, http.MethodPost, d.API+"/v1/alerts", map[string]any{
			"symbol": r.Symbol, "note": rule.Note, "condition": rule.Condition,
			"channel": map[string]string{"kind": contract.Email, "address": d.address},
		}, &made); err != nil {
			return ids, fmt.Errorf("set an alert: %w; start the alerts API with `drydock up`, or name another with --api", err)
		}
		ids = append(ids, made.ID)
	}
	return ids, nil
}

func (d *alertsDemo) removeRules(ctx context.Context, ids []string) error {
	var wrong error
	for _, id := range ids {
		if err := d.ask(ctx, http.MethodDelete, d.API+"/v1/alerts/"+id, nil, nil); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("remove alert %s: %w", id, err))
		}
	}
	return wrong
}

func (d *alertsDemo) crash(ctx context.Context, symbol string) error {
	if err := d.ask(ctx, http.MethodPost, d.Market+"/v1/events", map[string]any{
		"kind": "crash", "symbol": symbol, "percent": crashPercent, "for": crashTime.String(),
	}, nil); err != nil {
		return fmt.Errorf("play a crash: %w", err)
	}
	return nil
}

// awaitMails looks into the inbox until there is a mail of every rule.
func (d *alertsDemo) awaitMails(ctx context.Context, report *AlertsReport) error {
	waiting, cancel := context.WithTimeout(ctx, d.Wait)
	defer cancel()
	for {
		var inbox []struct {
			ID        string
			At        time.Time
			Subject   string
			MessageID string `json:"message_id"`
		}
		if err := d.ask(waiting, http.MethodGet, d.Inbox+"/v1/messages?to="+url.QueryEscape(d.address), nil, &inbox); err != nil && waiting.Err() == nil {
			return fmt.Errorf("look into the inbox: %w; name another with --inbox", err)
		}
		slices.Reverse(inbox) // the oldest first
		for _, message := range inbox[min(len(report.Mails), len(inbox)):] {
			alert, _, _ := strings.Cut(strings.Trim(message.MessageID, "<>"), "@")
			crossed, ok := contract.AlertTime(alert)
			if !ok {
				return fmt.Errorf("mail %q has the Message-ID %q, which names no alert", message.Subject, message.MessageID)
			}
			mail := Mail{Subject: message.Subject, URL: d.Inbox + "/v1/messages/" + message.ID, Took: message.At.Sub(crossed)}
			report.Mails = append(report.Mails, mail)
			d.Say(fmt.Sprintf("Mail: %s (%d ms after the quote)", mail.Subject, mail.Took.Milliseconds()))
		}
		if len(report.Mails) >= report.Rules {
			return nil
		}
		select {
		case <-time.After(inboxPause):
		case <-waiting.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%d of %d mails came within %v: look at `drydock deadletter list`", len(report.Mails), report.Rules, d.Wait)
		}
	}
}

// ask sends a JSON body, if there is one, and reads the answer into one.
func (c *client) ask(ctx context.Context, method, address string, body, answer any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	got, err := c.do(ctx, method, address, bytes.NewReader(data), int64(len(data)), map[string]string{contentType: "application/json"})
	if err != nil {
		return err
	}
	defer got.Close()
	if answer == nil {
		return nil
	}
	return json.NewDecoder(got).Decode(answer)
}
