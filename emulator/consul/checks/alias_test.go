package checks

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAliasResult(t *testing.T) {
	t.Parallel()
	a, b := AliasedCheck{Name: "a", Result: passing("x")}, AliasedCheck{Name: "b", Result: passing("y")}
	warn, fail := AliasedCheck{Name: "w", Result: warning("slow")}, AliasedCheck{Name: "f", Result: critical("down")}
	for name, c := range map[string]struct {
		found Aliased
		want  Result
	}{
		"no service": {Aliased{NoService: true, Checks: []AliasedCheck{a}}, critical("Service db could not be found on node n")},
		"no checks":  {Aliased{}, passing("No checks found.")},
		"passing":    {Aliased{Checks: []AliasedCheck{a, b}}, passing("All checks passing.")},
		"warning":    {Aliased{Checks: []AliasedCheck{a, warn, b}}, warning(`Aliased check "w" failing: slow`)},
		"worst":      {Aliased{Checks: []AliasedCheck{warn, a, fail}}, critical(`Aliased check "f" failing: down`)},
	} {
		assert.Equal(t, c.want, c.found.result(Definition{AliasNode: "n", AliasService: "db"}), name)
	}
}

func TestAliasFollows(t *testing.T) {
	t.Parallel()
	changes := make(chan Aliased)
	index := uint64(0)
	source := func(ctx context.Context, node, service string, seen uint64) (Aliased, uint64, error) {
		assert.Equal(t, "n/db", node+"/"+service)
		assert.Equal(t, index, seen)
		select {
		case found := <-changes:
			index += 7
			return found, index, nil
		case <-ctx.Done():
			return Aliased{}, 0, ctx.Err()
		}
	}
	_, results := start(t, Definition{AliasNode: "n", AliasService: "db"}, source)
	has := func(r Result) Aliased { return Aliased{Checks: []AliasedCheck{{Name: "c", Result: r}}} }
	changes <- has(passing(""))
	assert.Equal(t, passing("All checks passing."), next(t, results))
	changes <- has(warning("slow"))
	assert.Equal(t, warning(`Aliased check "c" failing: slow`), next(t, results))
	changes <- has(warning("slower")) // output alone is not followed
	changes <- Aliased{NoService: true}
	assert.Equal(t, critical("Service db could not be found on node n"), next(t, results))
}
