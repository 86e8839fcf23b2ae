package files

import (
	"fmt"
	"net/http"
)

// Error is what a request is refused with: the status and the body of the answer.
type Error struct {
	Status  int // of HTTP
	Message string
}

func (e *Error) Error() string { return e.Message }

func newError(status int, format string, values ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, values...)}
}

// statuses are those of an endpoint for one cause each: they differ between the endpoints of a real agent.
type statuses struct {
	unnamed int // the request names no file
	missing int // there is no such file
	escapes int // the path leads out of the directory
	content int // there is one, but it has no content for the asker
	secret  int // it is not for the asker
	other   int
}

var (
	listStatuses = statuses{
		unnamed: http.StatusBadRequest, missing: http.StatusNotFound, escapes: http.StatusInternalServerError,
		other: http.StatusInternalServerError,
	}
	// readStatuses are OK throughout: where a real agent sends a file, it sends its refusal in the same way.
	readStatuses = statuses{
		unnamed: http.StatusOK, missing: http.StatusOK, escapes: http.StatusOK, content: http.StatusOK,
		secret: http.StatusOK, other: http.StatusOK,
	}
	streamStatuses = statuses{
		unnamed: http.StatusBadRequest, missing: http.StatusBadRequest, escapes: http.StatusBadRequest,
		content: http.StatusBadRequest, secret: http.StatusInternalServerError, other: http.StatusInternalServerError,
	}
)
