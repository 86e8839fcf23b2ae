package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// answerTime bounds what is asked of the providers for one answer: a store
// that does not reply becomes a problem instead of a request that hangs.
const answerTime = 15 * time.Second

// invalid is the detail of problems whose errors name the parts at fault, in
// the words that huma has for those that it finds.
const invalid = "validation failed"

// fault is the problem with one part of a request.
func fault(location, message string, value any) error {
	return huma.Error422UnprocessableEntity(invalid, &huma.ErrorDetail{Location: location, Message: message, Value: value})
}

// missing is the error about a rule that is not there for its owner.
type missing struct{ id string }

func (m *missing) Error() string {
	return fmt.Sprintf("There is no rule %.40q: ids are given out by POST /v1/alerts, and deleted rules are gone.", m.id)
}

// problem makes the answer of an error. What the providers said is logged, not told.
func (s *Service) problem(ctx context.Context, doing string, err error) error {
	var none *missing
	if errors.As(err, &none) {
		return huma.Error404NotFound(none.Error())
	}
	var answer huma.StatusError
	if errors.As(err, &answer) {
		return answer
	}
	if errors.Is(err, errNotLoaded) {
		return unavailable("The service has just started and is still reading the rules; try again in a moment.")
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // else nobody listens any more
		s.options.Logger.ErrorContext(ctx, doing, "error", err)
	}
	return unavailable("The store of rules does not answer; try again in a moment.")
}

// unavailable is the problem of what may succeed a moment later.
func unavailable(detail string) error {
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable(detail), http.Header{"Retry-After": {"2"}})
}

// orProblem answers what no route of the API takes.
func orProblem(api huma.API, routes *http.ServeMux) http.HandlerFunc {
	const catchAll = "/v1/"
	answer := func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			if _, pattern := routes.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != catchAll {
				allowed = append(allowed, method)
			}
		}
		problem := huma.Error404NotFound(fmt.Sprintf("There is nothing at %.100q; /docs describes what there is.", r.URL.Path))
		if len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			problem = huma.Error405MethodNotAllowed(fmt.Sprintf("%.20q cannot be done here; %s can.", r.Method, strings.Join(allowed, ", ")))
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(problem.GetStatus())
		_ = api.Marshal(w, "application/json", problem) // an error means that the client is gone
	}
	routes.HandleFunc(catchAll, answer)
	return routes.ServeHTTP
}
