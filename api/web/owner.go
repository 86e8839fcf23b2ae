package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// RequestOwner decides on whose behalf a request is made. Nothing else does.
func RequestOwner(*http.Request) string { return "demo" }

type ownerKey struct{}

// WithOwner is the middleware that hands a decision such as RequestOwner's on.
func WithOwner(decide func(*http.Request) string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		request, _ := humago.Unwrap(ctx)
		next(huma.WithValue(ctx, ownerKey{}, decide(request)))
	}
}

// OwnerOf returns the owner of the request that a handler below WithOwner answers.
func OwnerOf(ctx context.Context) string { return ctx.Value(ownerKey{}).(string) }
