package jobs

import (
	"slices"

	"github.com/hashicorp/nomad/api"
)

// servicesDiff compares services, which their names tell apart; one that has
// another name at the same place and port has been renamed.
func servicesDiff(old, changed []*api.Service) []*api.ObjectDiff {
	var kept, added, deleted []*api.ObjectDiff
	before := matchServices(old, changed)
	for i, service := range changed {
		if before[i] != nil {
			kept = append(kept, one("Service", before[i], service, serviceDiff)...)
		} else {
			added = append(added, one("Service", nil, service, serviceDiff)...)
		}
	}
	for _, service := range old {
		if !slices.Contains(before, service) {
			deleted = append(deleted, one("Service", service, nil, serviceDiff)...)
		}
	}
	return slices.Concat(kept, added, deleted)
}

// matchServices finds what each of the changed services was before, or nil.
func matchServices(old, changed []*api.Service) []*api.Service {
	before := make([]*api.Service, len(changed))
	find := func(fits func(i int) bool) int {
		for i := range changed {
			if before[i] == nil && changed[i] != nil && fits(i) {
				return i
			}
		}
		return -1
	}
	for place, service := range old {
		if service == nil {
			continue
		}
		sameName := func(i int) bool { return changed[i].Name == service.Name }
		samePort := func(i int) bool { return changed[i].PortLabel == service.PortLabel }
		for _, fits := range []func(int) bool{
			func(i int) bool { return sameName(i) && samePort(i) },
			sameName,
			func(i int) bool { return i == place && samePort(i) },
		} {
			if i := find(fits); i >= 0 {
				before[i] = service
				break
			}
		}
	}
	return before
}

func serviceDiff(old, changed *api.Service) ([]*api.FieldDiff, []*api.ObjectDiff) {
	shown := func(s *api.Service) fields {
		f := fieldsOf(s)
		if s != nil {
			f["Namespace"] = api.DefaultNamespace // that of Consul, which only Enterprise has more of
		}
		return f
	}
	a, b := orEmpty(old), orEmpty(changed)
	return fieldDiffs(shown(old), shown(changed), withContext), slices.Concat(
		textsShown("CanaryTags", a.CanaryTags, b.CanaryTags),
		textsShown("Tags", a.Tags, b.Tags),
		namedDiff("Check", byName(pointers(a.Checks), checkName), byName(pointers(b.Checks), checkName), checkDiff),
		one("Identity", a.Identity, b.Identity, identityDiff),
		one("Weights", a.Weights, b.Weights, shallow),
	)
}

func checkName(c *api.ServiceCheck) string { return c.Name }

func checkDiff(old, changed *api.ServiceCheck) ([]*api.FieldDiff, []*api.ObjectDiff) {
	a, b := orEmpty(old), orEmpty(changed)
	shown := func(c *api.ServiceCheck) fields {
		f := fieldsOf(c)
		delete(f, "Advertise")
		return f
	}
	return fieldDiffs(shown(old), shown(changed), withContext), slices.Concat(
		freeForm("Header", headers(a.Header), headers(b.Header)),
		one("CheckRestart", a.CheckRestart, b.CheckRestart, shallow),
	)
}

func headers(m map[string][]string) map[string]any {
	free := map[string]any{}
	for name, values := range m {
		free[name] = values
	}
	return free
}

func identityDiff(old, changed *api.WorkloadIdentity) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext),
		textsShown("Audience", orEmpty(old).Audience, orEmpty(changed).Audience)
}
