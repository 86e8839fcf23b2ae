package alerts

import (
	"context"
	"errors"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
)

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
		return web.Unavailable("The service has just started and is still reading the rules; try again in a moment.")
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // else nobody listens any more
		s.options.Logger.ErrorContext(ctx, doing, "error", err)
	}
	return web.Unavailable("The store of rules does not answer; try again in a moment.")
}
