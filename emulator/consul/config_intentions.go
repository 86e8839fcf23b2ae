package consul

import (
	"slices"

	"github.com/hashicorp/consul/api"
)

// prepareIntentions fills in the type and the precedence of the sources, and
// sorts them by it, the highest first.
func prepareIntentions(e *api.ServiceIntentionsConfigEntry) error {
	if len(e.Sources) == 0 {
		return errText("At least one source is required")
	}
	seen := map[string]bool{}
	for i, source := range e.Sources {
		name := source.Name
		if source.Peer != "" {
			name = source.Peer + "/" + name
		}
		switch {
		case source.Name == "":
			return errText("Sources[%d].Name is required", i)
		case len(source.Permissions) > 0 && source.Action != "":
			return errText("Sources[%d].Action must be omitted if Permissions are specified", i)
		case len(source.Permissions) == 0 && source.Action != api.IntentionActionAllow && source.Action != api.IntentionActionDeny:
			return errText("Sources[%d].Action must be set to 'allow' or 'deny'", i)
		case seen[name]:
			return errText("Sources[%d] defines %q more than once", i, name)
		}
		seen[name] = true
		source.Type = api.IntentionSourceConsul
		source.Precedence = precedence(source.Name, e.Name)
	}
	slices.SortStableFunc(e.Sources, func(a, b *api.SourceIntention) int { return b.Precedence - a.Precedence })
	return nil
}

// precedence ranks an intention by how exactly it names its two services: the
// documentation's table, without Enterprise namespaces.
func precedence(source, destination string) int {
	switch {
	case destination != wildcard && source != wildcard:
		return 9
	case destination != wildcard:
		return 8
	case source != wildcard:
		return 6
	default:
		return 5
	}
}
