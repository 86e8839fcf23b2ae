package checks

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/consul/api"
)

// Aliased is what an alias check follows, as its owner's state has it.
type Aliased struct {
	// NoService says that the node is known and the service is not registered there.
	NoService bool
	// Checks are those of the service and of its node, or of the node alone when no service is followed; none when the
	// node is not known.
	Checks []AliasedCheck
}

// AliasedCheck is a check that an alias check follows.
type AliasedCheck struct {
	Name string
	Result
}

// Source gives what an alias check follows. The first call of a runner has no seen index and returns at once; each later one
// has the index that the last returned, and waits for a change of the set of checks or of their statuses. It fails only when ctx
// ends, at once. What it returns without such a change is passed over.
type Source func(ctx context.Context, node, service string, seen uint64) (found Aliased, index uint64, err error)

// follow delivers the status of what an alias check follows until ctx ends.
func follow(ctx context.Context, source Source, d Definition, deliver func(Result)) {
	var before *Aliased
	for index := uint64(0); ; {
		found, next, err := source(ctx, d.AliasNode, d.AliasService, index)
		if err != nil || ctx.Err() != nil {
			return
		}
		// A change of output alone is not followed, as in Consul: an alias check may follow itself.
		if before == nil || !sameStatuses(*before, found) {
			deliver(found.result(d))
		}
		before, index = &found, next
	}
}

func sameStatuses(a, b Aliased) bool {
	return a.NoService == b.NoService && slices.EqualFunc(a.Checks, b.Checks, func(x, y AliasedCheck) bool {
		return x.Name == y.Name && x.Status == y.Status
	})
}

// result is the worst of the followed checks.
func (a Aliased) result(d Definition) Result {
	switch {
	case a.NoService:
		return critical(fmt.Sprintf("Service %s could not be found on node %s", d.AliasService, d.AliasNode))
	case len(a.Checks) == 0:
		return passing("No checks found.")
	}
	for _, status := range []string{api.HealthCritical, api.HealthWarning} {
		if i := slices.IndexFunc(a.Checks, func(c AliasedCheck) bool { return c.Status == status }); i >= 0 {
			return Result{Status: status, Output: fmt.Sprintf("Aliased check %q failing: %s", a.Checks[i].Name, a.Checks[i].Output)}
		}
	}
	return passing("All checks passing.")
}
