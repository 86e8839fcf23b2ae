package alerts

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"unique"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/contract"
)

// readsAtOnce bounds the records that one listing asks for at a time.
const readsAtOnce = 16

type listInput struct {
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000" example:"50" doc:"How many at most."`
	After  string `query:"after" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"Go on after this id: the next of the page before."`
	Symbol string `query:"symbol" maxLength:"32" example:"ACME" doc:"Only those of this symbol."`
	Kind   string `query:"kind" enum:"above,below,crosses,change,volume" example:"above" doc:"Only those whose condition is of this kind."`
	Paused string `query:"paused" enum:"true,false" example:"false" doc:"Only those that are, or are not, paused."`
}

// Page is one page of an owner's rules.
type Page struct {
	Rules []Rule `json:"rules" nullable:"false" doc:"The newest first. There may be fewer than asked for while there is a next."`
	Next  string `json:"next,omitempty" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"What to ask for after; not there on the last page."`
	Total int    `json:"total" example:"3" doc:"How many rules the owner has, whatever is asked for."`
}

type listOutput struct{ Body Page }

func (s *Service) registerList(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-rules",
		Method:      http.MethodGet,
		Path:        "/v1/alerts",
		Summary:     "List the rules",
		Description: "Lists the rules, the newest first.",
		Tags:        []string{tagRules},
		Errors:      []int{http.StatusServiceUnavailable},
	}, s.list)
}

func (s *Service) list(ctx context.Context, in *listInput) (*listOutput, error) {
	if _, ok := contract.UploadTime(in.After); in.After != "" && !ok {
		return nil, web.Fault("query.after", "not a rule's id; take it from a page's next", in.After)
	}
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	if err := s.index.whole(); err != nil {
		return nil, s.problem(ctx, "list rules", err)
	}
	owner := web.OwnerOf(ctx)
	entries, more := s.index.page(owner, in.After, in.Limit, in.wants())
	page := Page{Total: s.index.count(owner)}
	var err error
	if page.Rules, err = s.rules(ctx, entries); err != nil {
		return nil, s.problem(ctx, "list rules", err)
	}
	if more {
		_, page.Next, _ = strings.Cut(entries[len(entries)-1].key, "/")
	}
	return &listOutput{Body: page}, nil
}

// wants is the filter that a request asks for.
func (in *listInput) wants() func(entry) bool {
	symbol, kind := unique.Make(in.Symbol), unique.Make(in.Kind)
	return func(e entry) bool {
		return (in.Symbol == "" || e.symbol == symbol) &&
			(in.Kind == "" || e.kind == kind) &&
			(in.Paused == "" || e.paused == (in.Paused == "true"))
	}
}

// rules reads the records of entries, in their order. One that is gone is left
// out, and out of the index.
func (s *Service) rules(ctx context.Context, entries []entry) ([]Rule, error) {
	found := make([]*Rule, len(entries))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, e := range entries {
		group.Go(func() error {
			rule, revision, err := s.read(reading, e.key)
			var none *missing
			if errors.As(err, &none) {
				s.index.remove(e.key, e.revision)
				return nil
			}
			if err == nil {
				shown := view(rule, revision)
				found[i] = &shown
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	rules := make([]Rule, 0, len(found))
	for _, rule := range found {
		if rule != nil {
			rules = append(rules, *rule)
		}
	}
	return rules, nil
}

// forget takes a rule that was deleted here out of the index, whatever was
// known of it.
func (s *Service) forget(owner, id string) {
	s.index.remove(contract.RecordKey(owner, id), math.MaxUint64)
}
