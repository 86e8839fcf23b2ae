package alerts

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

type identifierInput struct {
	ID string `path:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"The rule's id, as it was given when it was set."`
}

func (s *Service) registerGet(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "get-rule",
		Method:      http.MethodGet,
		Path:        "/v1/alerts/{id}",
		Summary:     "Show a rule",
		Description: "Shows the rule as it is now, with its revision in the ETag.",
		Tags:        []string{tagRules},
		Errors:      []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *identifierInput) (*ruleOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
		defer cancel()
		rule, revision, err := s.find(ctx, web.OwnerOf(ctx), in.ID)
		if err != nil {
			return nil, s.problem(ctx, "get rule", err)
		}
		return shown(rule, revision), nil
	})
}

// find reads one of an owner's rules and its revision, or returns a *missing.
func (s *Service) find(ctx context.Context, owner, id string) (contract.Rule, uint64, error) {
	if _, ok := contract.UploadTime(id); !ok {
		return contract.Rule{}, 0, &missing{id: id}
	}
	return s.read(ctx, contract.RecordKey(owner, id))
}

// read reads the rule at a record's key.
func (s *Service) read(ctx context.Context, key string) (contract.Rule, uint64, error) {
	record, err := s.options.Rules.Get(ctx, key)
	if errors.Is(err, cloud.ErrNotFound) {
		_, id, _ := strings.Cut(key, "/")
		return contract.Rule{}, 0, &missing{id: id}
	}
	if err != nil {
		return contract.Rule{}, 0, err
	}
	rule, err := readRule(record)
	return rule, record.Revision, err
}
