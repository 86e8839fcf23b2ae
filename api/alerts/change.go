package alerts

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

type replaceInput struct {
	ID      string `path:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"The rule's id, as it was given when it was set."`
	IfMatch string `header:"If-Match" example:"\"17\"" doc:"Replace only the revision with this ETag."`
	Body    NewRule
}

func (s *Service) registerChange(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:  "replace-rule",
		Method:       http.MethodPut,
		Path:         "/v1/alerts/{id}",
		Summary:      "Replace a rule",
		Description:  "Replaces all of the rule and arms it anew. With If-Match it does so only while the rule is still what you have read. A webhook at another address gets a new secret, which is in this answer and in no later one.",
		Tags:         []string{tagRules},
		MaxBodyBytes: maxBody,
		Errors: []int{
			http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable,
		},
	}, s.replace)

	act := func(name, summary, description string, action func(context.Context, *identifierInput) (*ruleOutput, error)) {
		huma.Register(api, huma.Operation{
			OperationID: name + "-rule",
			Method:      http.MethodPost,
			Path:        "/v1/alerts/{id}/" + name,
			Summary:     summary,
			Description: description,
			Tags:        []string{tagRules},
			Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
		}, action)
	}
	act("pause", "Pause a rule", "Keeps the rule from firing until it is resumed. Doing it again is no error.", s.pause(true))
	act("resume", "Resume a rule", "Arms a paused rule anew. One that is not paused stays as it is.", s.pause(false))
	act("rotate-secret", "Give a webhook a new secret", "Requests are signed with the new secret from now on. It is in this answer and in no later one.", s.rotate)

	huma.Register(api, huma.Operation{
		OperationID:   "delete-rule",
		Method:        http.MethodDelete,
		Path:          "/v1/alerts/{id}",
		Summary:       "Delete a rule",
		Description:   "Deletes the rule for good. Alerts that it has fired are not sent any more once it is gone.",
		Tags:          []string{tagRules},
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.remove)
}

func (s *Service) replace(ctx context.Context, in *replaceInput) (*ruleOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	before, revision, err := s.find(ctx, web.OwnerOf(ctx), in.ID)
	if err != nil {
		return nil, s.problem(ctx, "replace rule", err)
	}
	if !matches(in.IfMatch, revision) {
		return nil, changedMeanwhile(in.IfMatch)
	}
	if in.Body.Symbol != before.Symbol {
		if err := s.traded(ctx, "body.symbol", in.Body.Symbol); err != nil {
			return nil, err
		}
	}
	rule := in.Body.rule(before.Owner, before.ID)
	rule.Created, rule.Changed = before.Created, s.now().UTC()
	rule.Channel = secured(rule.Channel, before.Channel)
	revision, err = s.store(ctx, rule, revision)
	if errors.Is(err, cloud.ErrConflict) {
		return nil, changedMeanwhile(in.IfMatch)
	}
	if err != nil {
		return nil, s.problem(ctx, "replace rule", err)
	}
	if rule.Channel.Secret != before.Channel.Secret {
		return told(rule, revision), nil
	}
	return shown(rule, revision), nil
}

// changedMeanwhile is the problem of a rule that is not what it was any more:
// a precondition that failed, where the request had one.
func changedMeanwhile(ifMatch string) error {
	const detail = "The rule has changed meanwhile, or is gone: read it anew, and send what it shall be."
	if ifMatch != "" {
		return huma.Error412PreconditionFailed(detail)
	}
	return huma.Error409Conflict(detail)
}

// pause is the action that makes a rule be paused, or not.
func (s *Service) pause(paused bool) func(context.Context, *identifierInput) (*ruleOutput, error) {
	return func(ctx context.Context, in *identifierInput) (*ruleOutput, error) {
		rule, revision, err := s.change(ctx, in.ID, func(rule *contract.Rule) (bool, error) {
			if rule.Paused == paused {
				return false, nil
			}
			rule.Paused, rule.Changed = paused, s.now().UTC()
			return true, nil
		})
		if err != nil {
			return nil, s.problem(ctx, "pause or resume rule", err)
		}
		return shown(rule, revision), nil
	}
}

// rotate gives a webhook a new secret. What the rule has seen still counts.
func (s *Service) rotate(ctx context.Context, in *identifierInput) (*ruleOutput, error) {
	rule, revision, err := s.change(ctx, in.ID, func(rule *contract.Rule) (bool, error) {
		if rule.Channel.Kind != contract.Webhook {
			return false, huma.Error409Conflict("The rule's alerts go by e-mail, which has no secret; only webhooks have one.")
		}
		rule.Channel.Secret = newSecret()
		return true, nil
	})
	if err != nil {
		return nil, s.problem(ctx, "rotate secret", err)
	}
	return told(rule, revision), nil
}

// change applies a function to one of the owner's rules, again when somebody
// else changed the rule meanwhile. Nothing is written when the function
// returns false.
func (s *Service) change(ctx context.Context, id string, apply func(*contract.Rule) (bool, error)) (contract.Rule, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	for {
		rule, revision, err := s.find(ctx, web.OwnerOf(ctx), id)
		if err != nil {
			return contract.Rule{}, 0, err
		}
		changed, err := apply(&rule)
		if err != nil || !changed {
			return rule, revision, err
		}
		revision, err = s.store(ctx, rule, revision)
		if !errors.Is(err, cloud.ErrConflict) {
			return rule, revision, err
		}
	}
}

func (s *Service) remove(ctx context.Context, in *identifierInput) (*struct{}, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	rule, _, err := s.find(ctx, web.OwnerOf(ctx), in.ID)
	if err == nil {
		err = s.options.Rules.Delete(ctx, contract.RecordKey(rule.Owner, rule.ID))
	}
	if err != nil {
		return nil, s.problem(ctx, "delete rule", err)
	}
	s.forget(rule.Owner, rule.ID)
	return nil, nil
}
