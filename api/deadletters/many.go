package deadletters

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
)

const (
	mediaLines = "application/x-ndjson"
	maxBody    = 1 << 20        // of a request about many letters, in bytes
	maxPause   = 24 * time.Hour // between two letters, however low the rate
)

// Redrive says which letters to send again, and how. It takes either ids, or a
// filter, or all.
type Redrive struct {
	Filter
	IDs    []string `json:"ids,omitempty" maxItems:"1000" example:"[\"quotes.alerts.4711\"]" doc:"These letters, instead of a filter."`
	All    bool     `json:"all,omitempty" doc:"Every letter; it has to be set when there is neither a filter nor ids."`
	Rate   float64  `json:"rate,omitempty" minimum:"0" maximum:"100000" example:"10" doc:"How many a second at most; as fast as it goes, without."`
	DryRun bool     `json:"dry_run,omitempty" doc:"Tell what would be done, and do nothing."`
	Again  bool     `json:"again,omitempty" doc:"Also letters of events that came back three times or more."`
}

// Progress is one line of the answer about many letters: how far it is, and
// what became of one letter.
type Progress struct {
	Total    int    `json:"total" example:"120" doc:"Letters that were selected."`
	Done     int    `json:"done" example:"17" doc:"Letters that were sent again or deleted, or would be in a dry run."`
	Skipped  int    `json:"skipped" example:"2" doc:"Letters left alone: those that came back too often, or were changed or removed meanwhile."`
	Failed   int    `json:"failed" example:"0" doc:"Letters that could not be dealt with."`
	ID       string `json:"id,omitempty" example:"quotes.alerts.4711" doc:"The letter this line is about; the first and the last line are about none."`
	Why      string `json:"why,omitempty" example:"The letter was changed meanwhile." doc:"Why it was skipped or failed."`
	Finished bool   `json:"finished,omitempty" doc:"Set on the last line; an answer without such a line was cut short."`
	Stopped  string `json:"stopped,omitempty" doc:"On the last line, why it did not come to its end."`
}

type deleteManyInput struct {
	Filter
	All    bool `query:"all" doc:"Every letter; it has to be set when there is no filter."`
	DryRun bool `query:"dry_run" doc:"Tell what would be deleted, and do nothing."`
}

func (s *Service) registerMany(api huma.API) {
	lines := func(description string) map[string]*huma.Response {
		schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Progress](), true, "Progress")
		return map[string]*huma.Response{"200": {
			Description: description,
			Content:     map[string]*huma.MediaType{mediaLines: {Schema: schema}},
		}}
	}
	const tells = "One JSON document a line, as it goes: the total first, then each letter, and last that it is finished."
	huma.Register(api, huma.Operation{
		OperationID:  "redrive-deadletters",
		Method:       http.MethodPost,
		Path:         "/v1/deadletters/redrive",
		Summary:      "Send many letters' events again",
		Description:  "Sends the events of the selected letters that are there now, the oldest first. It stops when the client goes.",
		Tags:         []string{tagMany},
		MaxBodyBytes: maxBody,
		Errors:       []int{http.StatusServiceUnavailable},
		Responses:    lines(tells),
	}, s.redriveMany)
	huma.Register(api, huma.Operation{
		OperationID: "delete-deadletters",
		Method:      http.MethodDelete,
		Path:        "/v1/deadletters",
		Summary:     "Delete many letters",
		Description: "Removes the selected letters that are there now, and their events, for good. It stops when the client goes.",
		Tags:        []string{tagMany},
		Errors:      []int{http.StatusServiceUnavailable},
		Responses:   lines(tells),
	}, s.deleteMany)
}

// errTired is why a letter is not sent again just so.
var errTired = errors.New("came back too often")

// chosen is what is remembered of a selected letter.
type chosen struct {
	id       string
	revision uint64
	redriven int
}

func (s *Service) redriveMany(ctx context.Context, in *struct{ Body Redrive }) (*huma.StreamResponse, error) {
	letters, err := s.choose(ctx, in.Body.Filter, in.Body.IDs, in.Body.All, "body")
	if err != nil {
		return nil, err
	}
	var pause time.Duration
	if in.Body.Rate > 0 {
		pause = time.Duration(min(float64(time.Second)/in.Body.Rate, float64(maxPause)))
	}
	return stream(func(ctx context.Context, tell func(Progress)) {
		s.each(ctx, letters, pause, tell, func(ctx context.Context, letter chosen) error {
			if letter.redriven >= maxRedriven && !in.Body.Again {
				return errTired
			}
			if in.Body.DryRun {
				return nil
			}
			err := s.letters.Redrive(ctx, letter.id, letter.revision)
			if err == nil {
				s.changed(changeRedriven, letter.id)
			}
			return err
		})
	}), nil
}

func (s *Service) deleteMany(ctx context.Context, in *deleteManyInput) (*huma.StreamResponse, error) {
	letters, err := s.choose(ctx, in.Filter, nil, in.All, "query")
	if err != nil {
		return nil, err
	}
	return stream(func(ctx context.Context, tell func(Progress)) {
		s.each(ctx, letters, 0, tell, func(ctx context.Context, letter chosen) error {
			if in.DryRun {
				return nil
			}
			err := s.letters.Delete(ctx, letter.id)
			if err == nil {
				s.changed(changeDeleted, letter.id)
			}
			return err
		})
	}), nil
}

// choose finds the letters that a request is about before any is touched, so
// that what comes back at once is not sent again in the same round.
func (s *Service) choose(ctx context.Context, f Filter, ids []string, all bool, location string) ([]chosen, error) {
	filtered := f != Filter{}
	switch {
	case filtered && (all || len(ids) > 0), all && len(ids) > 0:
		return nil, web.Fault(location, "takes one of a filter, ids or all", nil)
	case !filtered && !all && len(ids) == 0:
		return nil, web.Fault(location, "selects nothing: give a filter, or set all to mean every letter", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	var letters []chosen
	for _, id := range ids {
		letter, err := s.letters.Get(ctx, id)
		if err != nil && !errors.Is(err, cloud.ErrNotFound) {
			return nil, s.unavailable(ctx, "find dead letters", err)
		}
		letters = append(letters, chosen{id, letter.Revision, letter.Redriven()})
	}
	if len(ids) > 0 {
		return letters, nil
	}
	filter, err := f.letters(s.now(), location)
	if err != nil {
		return nil, err
	}
	for letter, err := range s.letters.List(ctx, filter) {
		if err != nil {
			return nil, s.unavailable(ctx, "find dead letters", err)
		}
		letters = append(letters, chosen{letter.ID, letter.Revision, letter.Redriven()})
	}
	return letters, nil
}

// stream answers with lines that are sent as they are told.
func stream(run func(ctx context.Context, tell func(Progress))) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		_ = c.SetReadDeadline(time.Time{}) // that of the body, which has been read, would end the request
		c.SetHeader("Content-Type", mediaLines)
		c.SetHeader("X-Accel-Buffering", "no")
		body := c.BodyWriter()
		lines := json.NewEncoder(body)
		flusher, _ := body.(http.Flusher)
		run(c.Context(), func(p Progress) {
			_ = lines.Encode(p) // an error means that the client is gone, and so says the context
			if flusher != nil {
				flusher.Flush()
			}
		})
	}}
}

// each deals with the letters one after the other, with a pause from one
// beginning to the next, until the context ends or the bus fails.
func (s *Service) each(ctx context.Context, letters []chosen, pause time.Duration, tell func(Progress), do func(context.Context, chosen) error) {
	progress := Progress{Total: len(letters)}
	tell(progress)
	for next := time.Now(); len(letters) > 0 && progress.Stopped == ""; next = next.Add(pause) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		within, cancel := context.WithTimeout(ctx, web.AnswerTime)
		err := do(within, letters[0])
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.count(&progress, letters[0], err)
		tell(progress)
		letters = letters[1:]
	}
	progress.ID, progress.Why, progress.Finished = "", "", true
	tell(progress)
}

// count notes what became of a letter.
func (s *Service) count(p *Progress, letter chosen, err error) {
	p.ID, p.Why = letter.id, ""
	switch {
	case err == nil:
		p.Done++
	case errors.Is(err, errTired):
		p.Skipped++
		p.Why = tired(letter.redriven)
	case errors.Is(err, cloud.ErrNotFound):
		p.Skipped++
		p.Why = "There is no such letter, or no longer."
	case errors.Is(err, cloud.ErrConflict):
		p.Skipped++
		p.Why = "The letter was changed meanwhile."
	case errors.Is(err, cloud.ErrInvalid):
		p.Failed++
		p.Why = sentence(err)
	default:
		s.log.Error("change dead letters", "letter", letter.id, "error", err)
		p.Failed++
		p.Why = "The event bus does not answer."
		p.Stopped = p.Why
	}
}
