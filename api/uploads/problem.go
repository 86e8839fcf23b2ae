package uploads

import (
	"context"
	"errors"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
)

// missing is the error about an upload that is not there for its owner.
type missing struct{ id, why string }

func (m *missing) Error() string { return fmt.Sprintf("There is no upload %.40q: %s.", m.id, m.why) }

// problem makes the answer of an error. What the providers said is logged, not told.
func (s *Service) problem(ctx context.Context, doing string, err error) error {
	var none *missing
	if errors.As(err, &none) {
		return huma.Error404NotFound(none.Error())
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // else nobody listens any more
		s.options.Logger.ErrorContext(ctx, doing, "error", err)
	}
	return web.Unavailable("The store of uploads does not answer; try again in a moment.")
}
