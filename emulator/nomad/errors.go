package nomad

import (
	"errors"
	"fmt"
	"net/http"
)

// apiError is an error with the status that the API answers it with. Its text
// is the answer's body, and the client's error message: that of the real program.
type apiError struct {
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

// fail makes an apiError.
func fail(status int, format string, args ...any) error {
	return &apiError{status: status, text: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return fail(http.StatusBadRequest, format, args...)
}

func notFound(format string, args ...any) error {
	return fail(http.StatusNotFound, format, args...)
}

// errDenied is what is answered to whoever may not do what it asks for.
var errDenied = fail(http.StatusForbidden, "Permission denied")

// statusOf is the status that an error is answered with.
func statusOf(err error) int {
	var known *apiError
	if errors.As(err, &known) {
		return known.status
	}
	return http.StatusInternalServerError
}

// errDeniedOr is the error that there is, or else that the caller may not.
func errDeniedOr(err error) error {
	if err != nil {
		return err
	}
	return errDenied
}
