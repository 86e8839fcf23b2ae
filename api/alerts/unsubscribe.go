package alerts

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// reasonUnsubscribed is the reason of the suppressions that readers ask for.
const reasonUnsubscribed = "unsubscribed"

// letterPolicy lets the page be styled, and its one form be sent back here.
const letterPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed unsubscribe.html
var letterText string

var letterTemplate = template.Must(template.New("unsubscribe").Parse(letterText))

// letter is what the page says.
type letter struct {
	Title, Text string
	Ask         bool // with the button
}

type tokenInput struct {
	Token string `path:"token" maxLength:"1000" example:"YW5uQGV4YW1wbGUuY29t.3q2-7w" doc:"As it is in the mail's link."`
}

type letterOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (s *Service) registerUnsubscribe(api huma.API) {
	operation := func(id, method, summary, description string) huma.Operation {
		return huma.Operation{
			OperationID: id,
			Method:      method,
			Path:        contract.PathUnsubscribe + "{token}",
			Summary:     summary,
			Description: description,
			Tags:        []string{tagMail},
			Errors:      []int{http.StatusServiceUnavailable},
			Responses: map[string]*huma.Response{
				"200": {Description: "A page for people", Content: map[string]*huma.MediaType{"text/html": {}}},
				"404": {Description: "A page for people: the link is none that was sent", Content: map[string]*huma.MediaType{"text/html": {}}},
			},
		}
	}
	huma.Register(api, operation("ask-unsubscribe", http.MethodGet, "Ask whether to unsubscribe",
		"Shows a page with a button. It changes nothing by itself, as scanners of mail follow links."),
		func(_ context.Context, in *tokenInput) (*letterOutput, error) { return s.askUnsubscribe(in) })
	huma.Register(api, operation("unsubscribe", http.MethodPost, "Unsubscribe",
		"Stops all mail to the address that the link was sent to; programs that read mail do so with one click (RFC 8058). Doing it again is no error."),
		s.unsubscribe)
}

func (s *Service) askUnsubscribe(in *tokenInput) (*letterOutput, error) {
	address, err := contract.ParseUnsubscribeToken(s.options.UnsubscribeKey, in.Token)
	if err != nil {
		return notSent()
	}
	return show(http.StatusOK, letter{
		Title: "Unsubscribe?",
		Text:  fmt.Sprintf("Alerts will not be mailed to %s any more.", address),
		Ask:   true,
	})
}

func (s *Service) unsubscribe(ctx context.Context, in *tokenInput) (*letterOutput, error) {
	address, err := contract.ParseUnsubscribeToken(s.options.UnsubscribeKey, in.Token)
	if err != nil {
		return notSent()
	}
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	value, err := json.Marshal(contract.Suppression{Address: address, Reason: reasonUnsubscribed, At: s.now().UTC()})
	if err != nil {
		return nil, s.problem(ctx, "unsubscribe", err)
	}
	_, err = s.options.Mail.Put(ctx, contract.SuppressionKey(address), value, 0, 0)
	switch {
	case err == nil:
		s.metrics.unsubscribed.Inc()
	case !errors.Is(err, cloud.ErrExists): // else no mail is sent there already
		return nil, s.problem(ctx, "unsubscribe", err)
	}
	return show(http.StatusOK, letter{
		Title: "Unsubscribed",
		Text:  fmt.Sprintf("No more alerts are mailed to %s.", address),
	})
}

// notSent tells people that their link is none.
func notSent() (*letterOutput, error) {
	return show(http.StatusNotFound, letter{
		Title: "This link does not work",
		Text:  "It is not one that was mailed, or a part of it is missing. Open it from the mail again.",
	})
}

func show(status int, l letter) (*letterOutput, error) {
	var page bytes.Buffer
	if err := letterTemplate.Execute(&page, l); err != nil {
		return nil, fmt.Errorf("write the page to unsubscribe: %w", err)
	}
	return &letterOutput{Status: status, ContentType: "text/html; charset=utf-8", Policy: letterPolicy, Body: page.Bytes()}, nil
}
