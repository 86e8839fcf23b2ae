package jobs

import (
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

func groupDiff(name string, old, changed *api.TaskGroup) *api.TaskGroupDiff {
	diff := &api.TaskGroupDiff{Type: presence(old != nil, changed != nil), Name: name}
	if diff.Type == DiffEdited && same(old, changed) {
		diff.Type = DiffNone
	}
	a, b := orEmpty(old), orEmpty(changed)
	fieldNames := []string{"Count", "Meta", "PreventRescheduleOnLost"}
	if old != nil && changed != nil {
		fieldNames = append(fieldNames, "ShutdownDelay")
	}
	diff.Fields = fieldDiffs(fieldsOf(old, fieldNames...), fieldsOf(changed, fieldNames...), changedOnly)
	diff.Objects = slices.Concat(
		setDiff("Constraint", a.Constraints, b.Constraints, shallow),
		setDiff("Affinity", a.Affinities, b.Affinities, shallow),
		one("RestartPolicy", a.RestartPolicy, b.RestartPolicy, shallow),
		one("Migrate", a.Migrate, b.Migrate, shallow),
		one("ReschedulePolicy", a.ReschedulePolicy, b.ReschedulePolicy, shallow),
		one("EphemeralDisk", a.EphemeralDisk, b.EphemeralDisk, shallow),
		consulDiff(a.Consul, b.Consul),
		one("Update", withoutStagger(a.Update), withoutStagger(b.Update), shallow),
		one("Disconnect", a.Disconnect, b.Disconnect, disconnectDiff),
		setDiff("Network", a.Networks, b.Networks, networkDiff),
		one("Scaling", a.Scaling, b.Scaling, scalingDiff),
		servicesDiff(a.Services, b.Services),
		namedDiff("Volume", a.Volumes, b.Volumes, volumeDiff),
	)
	olds, news := byName(a.Tasks, taskName), byName(b.Tasks, taskName)
	for _, name := range names(olds, news) {
		diff.Tasks = append(diff.Tasks, taskDiff(name, olds[name], news[name]))
	}
	return diff
}

func taskName(t *api.Task) string { return t.Name }

// withoutStagger leaves out what only old jobs use.
func withoutStagger(u *api.UpdateStrategy) *api.UpdateStrategy {
	if u == nil {
		return nil
	}
	kept := *u
	kept.Stagger = nil
	return &kept
}

// consulDiff calls a block that has only gained values added, and one that has
// only lost some deleted.
func consulDiff(old, changed *api.Consul) []*api.ObjectDiff {
	diffs := one("Consul", old, changed, shallow)
	for _, diff := range diffs {
		kinds := map[string]bool{}
		for _, field := range diff.Fields {
			if field.Type != DiffNone {
				kinds[field.Type] = true
				diff.Type = field.Type
			}
		}
		if len(kinds) > 1 {
			diff.Type = DiffEdited
		}
	}
	return diffs
}

// disconnectDiff shows durations that are not set.
func disconnectDiff(old, changed *api.DisconnectStrategy) ([]*api.FieldDiff, []*api.ObjectDiff) {
	shown := func(d *api.DisconnectStrategy) fields {
		if d == nil {
			return nil
		}
		f := fields{"LostAfter": "nil", "StopOnClientAfter": "nil"}
		for name, text := range flatten(d) {
			f[name] = text
		}
		return f
	}
	return fieldDiffs(shown(old), shown(changed), withContext), nil
}

func scalingDiff(old, changed *api.ScalingPolicy) ([]*api.FieldDiff, []*api.ObjectDiff) {
	shown := []string{"Enabled", "Max", "Min"}
	return fieldDiffs(fieldsOf(old, shown...), fieldsOf(changed, shown...), changedOnly),
		freeForm("Policy", orEmpty(old).Policy, orEmpty(changed).Policy)
}

func volumeDiff(old, changed *api.VolumeRequest) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext),
		one("MountOptions", orEmpty(old).MountOptions, orEmpty(changed).MountOptions, mountOptionsDiff)
}

func mountOptionsDiff(old, changed *api.CSIMountOptions) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old, "FSType"), fieldsOf(changed, "FSType"), withContext),
		textsShown("MountFlags", orEmpty(old).MountFlags, orEmpty(changed).MountFlags)
}

func networkDiff(old, changed *api.NetworkResource) ([]*api.FieldDiff, []*api.ObjectDiff) {
	a, b := orEmpty(old), orEmpty(changed)
	return fieldDiffs(fieldsOf(old, "Hostname", "Mode"), fieldsOf(changed, "Hostname", "Mode"), withContext),
		slices.Concat(
			setDiff("Static Port", pointers(a.ReservedPorts), pointers(b.ReservedPorts), shallow),
			setDiff("Dynamic Port", pointers(a.DynamicPorts), pointers(b.DynamicPorts), dynamicPortDiff),
			one("DNS", a.DNS, b.DNS, dnsDiff),
			freeForm("CNIConfig", textMap(orEmpty(a.CNI).Args), textMap(orEmpty(b.CNI).Args)),
		)
}

func pointers[T any](list []T) []*T {
	var all []*T
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}

func dynamicPortDiff(old, changed *api.Port) ([]*api.FieldDiff, []*api.ObjectDiff) {
	shown := []string{"HostNetwork", "Label", "To"}
	return fieldDiffs(fieldsOf(old, shown...), fieldsOf(changed, shown...), withContext), nil
}

func dnsDiff(old, changed *api.DNSConfig) ([]*api.FieldDiff, []*api.ObjectDiff) {
	shown := func(d *api.DNSConfig) fields {
		if d == nil {
			return nil
		}
		return fields{
			"Servers": strings.Join(d.Servers, ","), "Searches": strings.Join(d.Searches, ","), "Options": strings.Join(d.Options, ","),
		}
	}
	return fieldDiffs(shown(old), shown(changed), withContext), nil
}
