package deadletters

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
)

// scanTime is web.AnswerTime for what needs all letters.
const scanTime = 2 * time.Minute

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
	return web.Unavailable("The event bus does not answer; try again in a moment.")
}

// sentence writes an error for people.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
