package alerts

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// requestOwner decides whose rules a request is about. Nothing else does.
func requestOwner(*http.Request) string { return "demo" }

type ownerKey struct{}

// withOwner is the middleware that hands the decision on.
func (s *Service) withOwner(ctx huma.Context, next func(huma.Context)) {
	request, _ := humago.Unwrap(ctx)
	next(huma.WithValue(ctx, ownerKey{}, s.owner(request)))
}

// ownerOf returns the owner of the request that a handler answers.
func ownerOf(ctx context.Context) string { return ctx.Value(ownerKey{}).(string) }
