package nomad

import (
	"net/http"
	"strconv"
)

// The parameters of the endpoints about jobs are refused when they are no values
// of their type; an absent one is zero.

func (r *request) boolean(parameter string) (bool, error) {
	text := r.query.Get(parameter)
	if text == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, fail(http.StatusInternalServerError, "Failed to parse value of %q (%v) as a bool: %v", parameter, text, err)
	}
	return on, nil
}

func (r *request) integer(parameter string) (int, error) {
	text := r.query.Get(parameter)
	if text == "" {
		return 0, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, fail(http.StatusInternalServerError, "Failed to parse value of %q (%v) as a int: %v", parameter, text, err)
	}
	return number, nil
}

// version is a parameter that names a version of a job; nil when it is absent.
func (r *request) version(parameter string) (*uint64, error) {
	text := r.query.Get(parameter)
	if text == "" {
		return nil, nil
	}
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, fail(http.StatusInternalServerError, "Failed to parse value of %q (%v) as a uint64: %v", parameter, text, err)
	}
	return &number, nil
}
