package alerts

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// NewRule is what a rule is made of, or replaced by.
type NewRule struct {
	Symbol    string             `json:"symbol" maxLength:"32" example:"ACME" doc:"What is traded, as the market names it."`
	Note      string             `json:"note,omitempty" example:"Time to sell" doc:"Your own words, sent along; up to 500 bytes."`
	Condition contract.Condition `json:"condition" doc:"What to wait for. An alert is fired when it becomes met, and again only after it was not met in between."`
	Repeat    bool               `json:"repeat,omitempty" doc:"Fire at every crossing, not only the first."`
	CoolDown  int                `json:"cool_down,omitempty" example:"600" doc:"Seconds after an alert in which no other is fired, up to a year."`
	Active    *contract.Hours    `json:"active,omitempty" doc:"When it may fire; always when it is missing."`
	Paused    bool               `json:"paused,omitempty" doc:"Whether it waits to be resumed."`
	Expires   time.Time          `json:"expires,omitzero" doc:"When it ends; never when it is missing."`
	Channel   NewChannel         `json:"channel" doc:"Where its alerts go."`
}

// NewChannel is where a rule's alerts are to go.
type NewChannel struct {
	Kind    string `json:"kind" enum:"email,webhook" example:"email" doc:"How to tell."`
	Address string `json:"address" maxLength:"2000" example:"ann@example.com" doc:"An e-mail address, or the http or https URL to POST to."`
}

// Rule is a rule as the API shows it.
type Rule struct {
	ID        string             `json:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"Identifies the rule; later ones sort first."`
	Symbol    string             `json:"symbol" example:"ACME" doc:"What is traded."`
	Note      string             `json:"note,omitempty" example:"Time to sell" doc:"The owner's own words."`
	Condition contract.Condition `json:"condition" doc:"What it waits for."`
	Repeat    bool               `json:"repeat" doc:"Whether it fires at every crossing; else it is done after its first alert."`
	CoolDown  int                `json:"cool_down,omitempty" example:"600" doc:"Seconds after an alert in which no other is fired."`
	Active    *contract.Hours    `json:"active,omitempty" doc:"When it may fire; always when it is missing."`
	Paused    bool               `json:"paused" doc:"Whether it waits to be resumed."`
	Expires   time.Time          `json:"expires,omitzero" doc:"When it ends."`
	Channel   Channel            `json:"channel" doc:"Where its alerts go."`
	Created   time.Time          `json:"created" doc:"When it was set."`
	Changed   time.Time          `json:"changed" doc:"When it was last changed; what it had seen before counts no more."`
	Revision  uint64             `json:"revision" example:"17" doc:"Grows with each change. In quotes it is the ETag."`
}

// Channel is where a rule's alerts go.
type Channel struct {
	Kind    string `json:"kind" enum:"email,webhook" example:"webhook" doc:"How it tells."`
	Address string `json:"address" example:"https://example.com/alerts" doc:"An e-mail address, or the URL to POST to."`
	Secret  string `json:"secret,omitempty" example:"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" doc:"Signs a webhook's requests, as Standard Webhooks has it. It is told only when it is new."`
}

// rule makes the document of an owner's rule; its secret is not decided yet.
func (n NewRule) rule(owner, id string) contract.Rule {
	return contract.Rule{
		ID: id, Owner: owner,
		Symbol: n.Symbol, Note: n.Note, Condition: n.Condition,
		Repeat: n.Repeat, CoolDown: n.CoolDown, Active: n.Active,
		Paused: n.Paused, Expires: n.Expires.UTC(),
		Channel: contract.Channel{Kind: n.Channel.Kind, Address: n.Channel.Address},
	}
}

// view shows a rule without its secret.
func view(rule contract.Rule, revision uint64) Rule {
	return Rule{
		ID: rule.ID, Symbol: rule.Symbol, Note: rule.Note, Condition: rule.Condition,
		Repeat: rule.Repeat, CoolDown: rule.CoolDown, Active: rule.Active,
		Paused: rule.Paused, Expires: rule.Expires,
		Channel: Channel{Kind: rule.Channel.Kind, Address: rule.Channel.Address},
		Created: rule.Created, Changed: rule.Changed, Revision: revision,
	}
}

// ruleOutput answers with one rule.
type ruleOutput struct {
	ETag string `header:"ETag" doc:"The rule's revision, for If-Match."`
	Body Rule
}

func shown(rule contract.Rule, revision uint64) *ruleOutput {
	return &ruleOutput{ETag: etag(revision), Body: view(rule, revision)}
}

// told is shown, with the secret, which nobody is told later.
func told(rule contract.Rule, revision uint64) *ruleOutput {
	out := shown(rule, revision)
	out.Body.Channel.Secret = rule.Channel.Secret
	return out
}

// etag is the entity tag of a revision.
func etag(revision uint64) string { return strconv.Quote(strconv.FormatUint(revision, 10)) }

// matches tells whether an If-Match header lets a revision be changed. A
// request without one changes any.
func matches(ifMatch string, revision uint64) bool {
	if ifMatch == "" {
		return true
	}
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag(revision) {
			return true
		}
	}
	return false
}

// readRule reads a record. Whose it is and which, the key says.
func readRule(record cloud.Record) (contract.Rule, error) {
	var rule contract.Rule
	if err := json.Unmarshal(record.Value, &rule); err != nil {
		return contract.Rule{}, fmt.Errorf("read the record %s: %w", record.Key, err)
	}
	rule.Owner, rule.ID, _ = strings.Cut(record.Key, "/")
	return rule, nil
}

// newSecret makes what signs a webhook's requests, in the form of Standard
// Webhooks: 24 random bytes.
func newSecret() string {
	raw := make([]byte, 24)
	rand.Read(raw)
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// Resolve implements huma.ResolverWithPath: it names what the schema cannot
// say about a rule, beside what the schema has found.
func (n *NewRule) Resolve(_ huma.Context, prefix *huma.PathBuffer) []error {
	var faults []error
	add := func(place, message string) {
		faults = append(faults, &huma.ErrorDetail{Location: prefix.String() + place, Message: message})
	}
	var wrong contract.Faults
	if errors.As(n.rule("", "").Check(), &wrong) {
		for _, fault := range wrong {
			add("."+fault.Field, fault.Problem)
		}
	}
	if n.Active != nil && len(n.Active.Days) > 7 {
		add(".active.days", fmt.Sprintf("%d days are more than a week has", len(n.Active.Days)))
	}
	if !n.Expires.IsZero() && n.Expires.Before(time.Now()) {
		add(".expires", fmt.Sprintf("%s is past", n.Expires.Format(time.RFC3339)))
	}
	return faults
}
