package alerts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules"
	"github.com/drydock/drydock/market"
)

const (
	// dryRunTime bounds a dry run, and dryRunsAtOnce those of one instance.
	dryRunTime    = 30 * time.Second
	dryRunsAtOnce = 4
	// dryRunSpan is what a dry run looks back when it is not told, and
	// maxDryRunSpan what it looks at most.
	dryRunSpan    = 30 * 24 * time.Hour
	maxDryRunSpan = 366 * 24 * time.Hour
	// exactSpan is up to where every quote is read.
	exactSpan = 24 * time.Hour
	// maxAlertsShown bounds the alerts in an answer.
	maxAlertsShown = 100
)

// Past is the time that a dry run looks at.
type Past struct {
	From time.Time `json:"from,omitzero" doc:"Its beginning; 30 days before its end when it is missing. A year before it at most."`
	To   time.Time `json:"to,omitzero" doc:"Its end; now when it is missing."`
}

type dryRunRuleInput struct {
	ID   string `path:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"The rule's id, as it was given when it was set."`
	Body *Past
}

// NewDryRun is a rule to be tried that is not set.
type NewDryRun struct {
	Rule NewRule `json:"rule" doc:"The rule, as it would be set."`
	Past
}

// DryRun is what a rule would have done.
type DryRun struct {
	Fired  int       `json:"fired" example:"3" doc:"How often it would have fired."`
	From   time.Time `json:"from" doc:"The beginning of the time that was looked at."`
	To     time.Time `json:"to" doc:"The end of the time that was looked at."`
	Quotes int       `json:"quotes" example:"8640" doc:"How many quotes there were."`
	Alerts []Alert   `json:"alerts" nullable:"false" doc:"The alerts, the first ones first; 100 at most."`
	Text   string    `json:"text" example:"would have fired 3 times from 2026-04-04 to 2026-05-04" doc:"The same, for people."`
}

type dryRunOutput struct{ Body DryRun }

func (s *Service) registerDryRun(api huma.API) {
	const description = "Reads the past of the symbol and tells what the rule would have fired. " +
		"The rule applies to all of that time, whether it is paused or has ended. Nothing is sent, and nothing kept. " +
		"More than a day is read in coarser quotes where the market has them, one a minute in Drydock's own feed."
	errs := []int{
		http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusNotImplemented,
		http.StatusServiceUnavailable,
	}
	huma.Register(api, huma.Operation{
		OperationID:  "dry-run",
		Method:       http.MethodPost,
		Path:         "/v1/alerts/dry-run",
		Summary:      "Try a rule that is not set",
		Description:  description,
		Tags:         []string{tagRules},
		MaxBodyBytes: maxBody,
		Errors:       errs,
	}, func(ctx context.Context, in *struct{ Body NewDryRun }) (*dryRunOutput, error) {
		if err := s.traded(ctx, "body.rule.symbol", in.Body.Rule.Symbol); err != nil {
			return nil, err
		}
		owner := web.OwnerOf(ctx)
		return s.dryRun(ctx, in.Body.Rule.rule(owner, contract.NewUploadID(s.now())), in.Body.Past)
	})
	huma.Register(api, huma.Operation{
		OperationID:  "dry-run-rule",
		Method:       http.MethodPost,
		Path:         "/v1/alerts/{id}/dry-run",
		Summary:      "Try a rule",
		Description:  description,
		Tags:         []string{tagRules},
		MaxBodyBytes: maxBody,
		Errors:       errs,
	}, func(ctx context.Context, in *dryRunRuleInput) (*dryRunOutput, error) {
		rule, _, err := s.find(ctx, web.OwnerOf(ctx), in.ID)
		if err != nil {
			return nil, s.problem(ctx, "dry run", err)
		}
		if in.Body == nil {
			in.Body = &Past{}
		}
		return s.dryRun(ctx, rule, *in.Body)
	})
}

// errTooManyQuotes ends the reading of a past that is too long.
var errTooManyQuotes = errors.New("more quotes than a dry run reads")

// dryRun answers what a rule would have fired.
func (s *Service) dryRun(ctx context.Context, rule contract.Rule, past Past) (*dryRunOutput, error) {
	past, err := s.span(past)
	if err != nil {
		return nil, err
	}
	select {
	case s.dryRuns <- struct{}{}:
		defer func() { <-s.dryRuns }()
	default:
		return nil, web.Unavailable("As many dry runs as this instance takes are under way; try again in a moment.")
	}
	limited, cancel := context.WithTimeout(ctx, dryRunTime)
	defer cancel()
	rule.Expires = time.Time{}
	count := 0
	read := s.options.History.History
	if past.To.Sub(past.From) > exactSpan {
		read = s.options.History.Past
	}
	quotes := read(limited, []string{rule.Symbol}, past.From, past.To)
	alerts, err := rules.DryRun(rule, counted(quotes, &count, s.options.MaxQuotes))
	switch {
	case errors.Is(err, errTooManyQuotes):
		return nil, web.Fault("body.from", fmt.Sprintf("there are more than %d quotes in that time; choose a shorter one", s.options.MaxQuotes), past.From)
	case errors.Is(err, market.ErrNoHistory):
		return nil, huma.Error501NotImplemented("The market's vendor tells no history, so that no rule can be tried on it.")
	case errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil:
		return nil, web.Unavailable(fmt.Sprintf("The dry run took more than %v; choose a shorter time.", dryRunTime))
	case err != nil && ctx.Err() == nil:
		s.options.Logger.ErrorContext(ctx, "dry run", "error", err)
		return nil, web.Unavailable("The market's history cannot be read; try again in a moment.")
	case err != nil:
		return nil, err // nobody listens any more
	}
	s.metrics.dryRuns.Inc()
	run := DryRun{Fired: len(alerts), From: past.From, To: past.To, Quotes: count, Alerts: []Alert{}}
	for _, alert := range alerts[:min(len(alerts), maxAlertsShown)] {
		run.Alerts = append(run.Alerts, showAlert(alert))
	}
	run.Text = fmt.Sprintf("would %s from %s to %s", haveFired(run.Fired), past.From.Format(time.DateOnly), past.To.Format(time.DateOnly))
	return &dryRunOutput{Body: run}, nil
}

// span fills in what is missing of the time to look at, and bounds it.
func (s *Service) span(past Past) (Past, error) {
	if past.To.IsZero() {
		past.To = s.now()
	}
	if past.From.IsZero() {
		past.From = past.To.Add(-dryRunSpan)
	}
	past.From, past.To = past.From.UTC(), past.To.UTC()
	switch {
	case !past.From.Before(past.To):
		return past, web.Fault("body.from", "it is not before the end", past.From)
	case past.To.Sub(past.From) > maxDryRunSpan:
		return past, web.Fault("body.from", fmt.Sprintf("it is more than %d days before the end", maxDryRunSpan/(24*time.Hour)), past.From)
	}
	return past, nil
}

// counted counts quotes, and ends with errTooManyQuotes when they are too many.
func counted(quotes iter.Seq2[contract.Quote, error], count *int, most int) iter.Seq2[contract.Quote, error] {
	return func(yield func(contract.Quote, error) bool) {
		for quote, err := range quotes {
			if *count == most && err == nil {
				quote, err = contract.Quote{}, errTooManyQuotes
			}
			if err == nil {
				*count++
			}
			if !yield(quote, err) || err != nil {
				return
			}
		}
	}
}

// haveFired counts as people do.
func haveFired(times int) string {
	switch times {
	case 0:
		return "not have fired"
	case 1:
		return "have fired once"
	}
	return fmt.Sprintf("have fired %d times", times)
}
