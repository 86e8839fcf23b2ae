// Package cloudtest is the conformance suite of package cloud: one function
// per interface, called by the tests of every provider with what opens a fresh
// instance of it. A provider that passes can stand in for any other.
package cloudtest

import (
	"context"
	"testing"
	"time"
)

// limit bounds every wait of the suite; nothing in it takes nearly as long.
const limit = 2 * time.Minute

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}
