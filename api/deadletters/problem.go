package deadletters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/cloud"
)

const (
	// answerTime bounds what is asked about one letter, scanTime what needs all
	// of them: a bus that does not reply becomes a problem instead of a request
	// that hangs.
	answerTime = 15 * time.Second
	scanTime   = 2 * time.Minute
)

// invalid is the detail of problems whose errors name the parts at fault, in
// the words that huma has for those that it finds.
const invalid = "validation failed"

// fault is the problem of one wrong part of a request.
func fault(location, message string, value any) error {
	return huma.Error422UnprocessableEntity(invalid, &huma.ErrorDetail{Location: location, Message: message, Value: value})
}

// problem makes the answer of an error about a letter.
func (s *Service) problem(ctx context.Context, doing, id string, err error) error {
	switch {
	case errors.Is(err, cloud.ErrNotFound):
		return huma.Error404NotFound(fmt.Sprintf("There is no dead letter %.100q, or no longer.", id))
	case errors.Is(err, cloud.ErrConflict):
		return huma.Error412PreconditionFailed("The letter was changed meanwhile; look at it again.")
	case errors.Is(err, cloud.ErrInvalid):
		return huma.Error409Conflict(sentence(err))
	}
	return s.unavailable(ctx, doing, err)
}

// unavailable makes the answer when the bus fails; what it said is logged, not told.
func (s *Service) unavailable(ctx context.Context, doing string, err error) error {
	if !errors.Is(ctx.Err(), context.Canceled) { // else nobody listens any more
		s.log.ErrorContext(ctx, doing, "error", err)
	}
	return huma.ErrorWithHeaders(
		huma.Error503ServiceUnavailable("The event bus does not answer; try again in a moment."),
		http.Header{"Retry-After": {"2"}},
	)
}

// sentence writes an error for people.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// orProblem answers what no route of the API takes.
func orProblem(api huma.API, routes *http.ServeMux) http.HandlerFunc {
	const catchAll = "/"
	routes.HandleFunc(catchAll, func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if _, pattern := routes.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != catchAll {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			writeProblem(api, w, huma.Error404NotFound(fmt.Sprintf("There is nothing at %.100q; /openapi.json describes what there is.", r.URL.Path)))
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(api, w, huma.Error405MethodNotAllowed(fmt.Sprintf("%.20q cannot be done here; %s can.", r.Method, strings.Join(allowed, ", "))))
	})
	return routes.ServeHTTP
}

// writeProblem answers where huma does not.
func writeProblem(api huma.API, w http.ResponseWriter, problem huma.StatusError) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(problem.GetStatus())
	_ = api.Marshal(w, "application/json", problem) // an error means that the client is gone
}
