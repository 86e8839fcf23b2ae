package alerts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// keepKeys is how long an idempotency key is remembered.
const keepKeys = 24 * time.Hour

type createInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" example:"8e03978e-40d5-43e8-bc93-6894a57f9324" doc:"Makes it safe to send the request again: for a day, the same key and body are the same rule."`
	Body NewRule
}

type createOutput struct {
	Location string `header:"Location" doc:"The rule's path in this API."`
	ETag     string `header:"ETag" doc:"The rule's revision, for If-Match."`
	Body     Rule
}

func (s *Service) registerCreate(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:   "create-rule",
		Method:        http.MethodPost,
		Path:          "/v1/alerts",
		Summary:       "Set a rule",
		Description:   fmt.Sprintf("Sets a rule that waits from now on. An owner has at most %d. The secret of a webhook is in this answer, and in no later one.", s.options.MaxRules),
		Tags:          []string{tagRules},
		DefaultStatus: http.StatusCreated,
		MaxBodyBytes:  maxBody,
		Errors: []int{
			http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable,
		},
	}, s.create)
}

func (s *Service) create(ctx context.Context, in *createInput) (*createOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	rule, revision, err := s.createOnce(ctx, web.OwnerOf(ctx), in)
	if err != nil {
		return nil, s.problem(ctx, "create rule", err)
	}
	made := told(rule, revision)
	return &createOutput{Location: "/v1/alerts/" + rule.ID, ETag: made.ETag, Body: made.Body}, nil
}

// createOnce makes the rule, or finds the one that the key has made.
func (s *Service) createOnce(ctx context.Context, owner string, in *createInput) (contract.Rule, uint64, error) {
	id := contract.NewUploadID(s.now())
	if in.Key == "" {
		return s.add(ctx, owner, id, in.Body)
	}
	claimed, err := s.claim(ctx, owner, in, id)
	if err != nil {
		return contract.Rule{}, 0, err
	}
	rule, revision, err := s.find(ctx, owner, claimed.ID)
	var none *missing
	switch {
	case errors.As(err, &none) && claimed.Done:
		return contract.Rule{}, 0, huma.Error409Conflict("The rule that this Idempotency-Key made was deleted; take a new key.")
	case errors.As(err, &none):
		rule, revision, err = s.add(ctx, owner, claimed.ID, in.Body)
	}
	if err == nil && !claimed.Done {
		err = s.done(ctx, claimed)
	}
	return rule, revision, err
}

// add keeps a new rule under an id, and returns the one that is there already.
func (s *Service) add(ctx context.Context, owner, id string, body NewRule) (contract.Rule, uint64, error) {
	if err := s.index.whole(); err != nil {
		return contract.Rule{}, 0, err
	}
	if count := s.index.count(owner); count >= s.options.MaxRules {
		return contract.Rule{}, 0, huma.Error409Conflict(fmt.Sprintf("There are %d rules, and an owner has at most %d: delete some first.", count, s.options.MaxRules))
	}
	if err := s.traded(ctx, "body.symbol", body.Symbol); err != nil {
		return contract.Rule{}, 0, err
	}
	rule := body.rule(owner, id)
	rule.Created, _ = contract.UploadTime(id)
	rule.Created = rule.Created.UTC()
	rule.Changed = s.now().UTC()
	rule.Channel = secured(rule.Channel, contract.Channel{})
	revision, err := s.store(ctx, rule, 0)
	if errors.Is(err, cloud.ErrExists) { // another request with the same key was first
		return s.find(ctx, owner, id)
	}
	if err == nil {
		s.metrics.created.Inc()
	}
	return rule, revision, err
}

// traded returns a problem when the market says that there is no such symbol.
func (s *Service) traded(ctx context.Context, location, symbol string) error {
	if s.symbols.known(ctx, symbol, s.now()) {
		return nil
	}
	return web.Fault(location, "the market has no such symbol", symbol)
}

// store writes a rule over the revision of it that is known, and returns the
// new revision.
func (s *Service) store(ctx context.Context, rule contract.Rule, revision uint64) (uint64, error) {
	value, err := json.Marshal(rule)
	if err != nil {
		return 0, fmt.Errorf("write rule %s: %w", rule.ID, err)
	}
	revision, err = s.options.Rules.Put(ctx, contract.RecordKey(rule.Owner, rule.ID), value, revision, 0)
	if err != nil {
		return 0, err
	}
	s.index.put(rule, revision)
	return revision, nil
}

// claim is the record of an idempotency key.
type claim struct {
	ID   string `json:"id"`   // of the rule that it makes
	Body string `json:"body"` // digest of the request's
	Done bool   `json:"done"` // the rule was there

	key      string
	revision uint64
}

// claim takes an idempotency key for an id, or finds what it was taken for.
func (s *Service) claim(ctx context.Context, owner string, in *createInput, id string) (claim, error) {
	body, err := json.Marshal(in.Body)
	if err != nil {
		return claim{}, fmt.Errorf("digest a rule: %w", err)
	}
	name, digest := sha256.Sum256([]byte(in.Key)), sha256.Sum256(body)
	c := claim{ID: id, Body: hex.EncodeToString(digest[:]), key: owner + "/" + base64.RawURLEncoding.EncodeToString(name[:])}
	err = s.write(ctx, &c)
	if !errors.Is(err, cloud.ErrExists) {
		return c, err
	}
	record, err := s.options.Keys.Get(ctx, c.key)
	if err != nil {
		return claim{}, err
	}
	first := claim{key: c.key, revision: record.Revision}
	if err := json.Unmarshal(record.Value, &first); err != nil {
		return claim{}, fmt.Errorf("read the idempotency key %s: %w", c.key, err)
	}
	if first.Body != c.Body {
		return claim{}, web.Fault("header.Idempotency-Key", "the key was used for another rule within the last day; take a new one", in.Key)
	}
	return first, nil
}

// done notes that the claim's rule is there, so that it stays deleted once it
// is. Whoever has noted it before has done as well.
func (s *Service) done(ctx context.Context, c claim) error {
	c.Done = true
	err := s.write(ctx, &c)
	if errors.Is(err, cloud.ErrConflict) {
		return nil
	}
	return err
}

func (s *Service) write(ctx context.Context, c *claim) error {
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write the idempotency key %s: %w", c.key, err)
	}
	c.revision, err = s.options.Keys.Put(ctx, c.key, value, c.revision, keepKeys)
	return err
}

// secured gives a webhook its secret: the one it had before at the same
// address, else a new one.
func secured(channel, before contract.Channel) contract.Channel {
	if channel.Kind != contract.Webhook {
		return channel
	}
	channel.Secret = before.Secret
	if before.Kind != channel.Kind || before.Address != channel.Address {
		channel.Secret = newSecret()
	}
	return channel
}
