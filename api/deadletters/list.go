package deadletters

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
)

type listInput struct {
	Filter
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000" example:"50" doc:"How many at most."`
	After string `query:"after" pattern:"^[0-9]{0,20}$" example:"12" doc:"Go on after a page: its next."`
}

// Page is one page of letters.
type Page struct {
	Letters []Letter `json:"letters" nullable:"false" doc:"The oldest first, where an edit makes a letter young again. Without data."`
	Next    string   `json:"next,omitempty" example:"12" doc:"What to ask for after; not there on the last page."`
}

type listOutput struct{ Body Page }

func (s *Service) registerList(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-deadletters",
		Method:      http.MethodGet,
		Path:        "/v1/deadletters",
		Summary:     "List dead letters",
		Description: "Lists the letters that the filter lets through, without their data.",
		Tags:        []string{tagLetters},
		Errors:      []int{http.StatusServiceUnavailable},
	}, s.list)
}

func (s *Service) list(ctx context.Context, in *listInput) (*listOutput, error) {
	filter, err := in.letters(s.now(), "query")
	if err != nil {
		return nil, err
	}
	if in.After != "" {
		if filter.Beyond, err = strconv.ParseUint(in.After, 10, 64); err != nil {
			return nil, web.Fault("query.after", "not a page's next", in.After)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	page := Page{Letters: []Letter{}}
	for letter, err := range s.letters.List(ctx, filter) {
		if err != nil {
			return nil, s.unavailable(ctx, "list dead letters", err)
		}
		if len(page.Letters) == in.Limit {
			page.Next = strconv.FormatUint(page.Letters[in.Limit-1].Revision, 10)
			break
		}
		page.Letters = append(page.Letters, view(letter))
	}
	return &listOutput{Body: page}, nil
}

// Summary counts letters.
type Summary struct {
	Total  int     `json:"total" example:"120" doc:"How many there are."`
	Groups []Group `json:"groups" nullable:"false" doc:"The same by stream, consumer and reason, the largest first."`
}

// Group is the letters of one stream, consumer and reason.
type Group struct {
	Stream   string    `json:"stream" example:"quotes" doc:"The stream."`
	Consumer string    `json:"consumer" example:"alerts" doc:"The consumer."`
	Reason   string    `json:"reason" example:"permanent" doc:"The kind of end."`
	Count    int       `json:"count" example:"17" doc:"How many there are."`
	Oldest   time.Time `json:"oldest" doc:"When the first of them was given up."`
	Newest   time.Time `json:"newest" doc:"When the last of them was given up."`
}

type summaryOutput struct{ Body Summary }

func (s *Service) registerSummary(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "summarize-deadletters",
		Method:      http.MethodGet,
		Path:        "/v1/deadletters/summary",
		Summary:     "Count dead letters",
		Description: "Counts, exactly, the letters that the filter lets through, by stream, consumer and reason.",
		Tags:        []string{tagLetters},
		Errors:      []int{http.StatusServiceUnavailable},
	}, s.summarize)
}

func (s *Service) summarize(ctx context.Context, in *struct{ Filter }) (*summaryOutput, error) {
	filter, err := in.letters(s.now(), "query")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	type key struct{ stream, consumer, reason string }
	groups := map[key]*Group{}
	summary := Summary{Groups: []Group{}}
	for l, err := range s.letters.List(ctx, filter) {
		if err != nil {
			return nil, s.unavailable(ctx, "count dead letters", err)
		}
		group := groups[key{l.Stream, l.Consumer, l.Reason}]
		if group == nil {
			group = &Group{Stream: l.Stream, Consumer: l.Consumer, Reason: l.Reason, Oldest: l.At, Newest: l.At}
			groups[key{l.Stream, l.Consumer, l.Reason}] = group
		}
		summary.Total++
		group.Count++
		if l.At.Before(group.Oldest) {
			group.Oldest = l.At
		}
		if l.At.After(group.Newest) {
			group.Newest = l.At
		}
	}
	for _, group := range groups {
		summary.Groups = append(summary.Groups, *group)
	}
	slices.SortFunc(summary.Groups, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Consumer, b.Consumer), cmp.Compare(a.Reason, b.Reason))
	})
	return &summaryOutput{Body: summary}, nil
}
