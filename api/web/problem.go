package web

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// AnswerTime bounds what is asked of the providers for one answer: one that
// does not reply becomes a problem instead of a request that hangs.
const AnswerTime = 15 * time.Second

// Fault is the problem of one wrong part of a request. The location is as
// "query.after", the message follows it as "expected …" would.
func Fault(location, message string, value any) error {
	return Faults(&huma.ErrorDetail{Location: location, Message: message, Value: value})
}

// Faults is the problem of all the wrong parts of a request.
func Faults(parts ...error) error {
	// In the words that huma has for those that it finds itself.
	return huma.Error422UnprocessableEntity("validation failed", parts...)
}

// Unavailable is the problem of what may succeed a moment later.
func Unavailable(detail string) error {
	return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable(detail), http.Header{"Retry-After": {"2"}})
}

// writeProblem answers with a problem where no operation does.
func (a *API) writeProblem(w http.ResponseWriter, problem huma.StatusError) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(problem.GetStatus())
	_ = a.Marshal(w, "application/json", problem) // an error means that the client is gone
}
