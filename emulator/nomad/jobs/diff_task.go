package jobs

import (
	"slices"

	"github.com/hashicorp/nomad/api"
)

func taskDiff(name string, old, changed *api.Task) *api.TaskDiff {
	diff := &api.TaskDiff{Type: presence(old != nil, changed != nil), Name: name}
	if diff.Type == DiffEdited && same(old, changed) {
		diff.Type = DiffNone
		return diff
	}
	a, b := orEmpty(old), orEmpty(changed)
	shown := []string{"Driver", "Env", "KillSignal", "KillTimeout", "Kind", "Leader", "Meta", "ShutdownDelay", "User"}
	diff.Fields = fieldDiffs(fieldsOf(old, shown...), fieldsOf(changed, shown...), changedOnly)
	diff.Objects = slices.Concat(
		setDiff("Constraint", a.Constraints, b.Constraints, shallow),
		setDiff("Affinity", a.Affinities, b.Affinities, shallow),
		freeForm("Config", a.Config, b.Config),
		one("Resources", a.Resources, b.Resources, resourcesDiff),
		one("LogConfig", a.LogConfig, b.LogConfig, shallow),
		one("DispatchPayload", a.DispatchPayload, b.DispatchPayload, shallow),
		namedDiff("Artifact", byName(a.Artifacts, artifactTarget), byName(b.Artifacts, artifactTarget), shallow),
		servicesDiff(a.Services, b.Services),
		namedDiff("Secret", byName(a.Secrets, secretNameOf), byName(b.Secrets, secretNameOf), shallow),
		consulDiff(a.Consul, b.Consul),
		namedDiff("Template", byName(a.Templates, destination), byName(b.Templates, destination), templateDiff),
		namedDiff("Identity", identities(old), identities(changed), identityDiff),
		orderedDiff("Action", a.Actions, b.Actions, actionDiff),
		orderedDiff("VolumeMount", a.VolumeMounts, b.VolumeMounts, shallow),
	)
	return diff
}

func secretNameOf(s *api.Secret) string { return s.Name }

func destination(t *api.Template) string { return value(t.DestPath) }

func artifactTarget(a *api.TaskArtifact) string { return value(a.RelativeDest) }

func identities(task *api.Task) map[string]*api.WorkloadIdentity {
	if task == nil {
		return nil
	}
	return byName(slices.Concat([]*api.WorkloadIdentity{task.Identity}, task.Identities),
		func(i *api.WorkloadIdentity) string { return i.Name })
}

func resourcesDiff(old, changed *api.Resources) ([]*api.FieldDiff, []*api.ObjectDiff) {
	device := func(d *api.RequestedDevice) string { return d.Name }
	a, b := orEmpty(old), orEmpty(changed)
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext), slices.Concat(
		setDiff("Network", a.Networks, b.Networks, networkDiff),
		namedDiff("Device", byName(a.Devices, device), byName(b.Devices, device), shallow),
		one("NUMA", a.NUMA, b.NUMA, shallow),
	)
}

func templateDiff(old, changed *api.Template) ([]*api.FieldDiff, []*api.ObjectDiff) {
	a, b := orEmpty(old), orEmpty(changed)
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext), slices.Concat(
		one("Template", a.Wait, b.Wait, shallow),
		one("ChangeScript", a.ChangeScript, b.ChangeScript, scriptDiff),
	)
}

func scriptDiff(old, changed *api.ChangeScript) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext),
		textsShown("Args", orEmpty(old).Args, orEmpty(changed).Args)
}

func actionDiff(old, changed *api.Action) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext),
		textsShown("Args", orEmpty(old).Args, orEmpty(changed).Args)
}

func periodicDiff(old, changed *api.PeriodicConfig) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext),
		textsDiff("Specs", orEmpty(old).Specs, orEmpty(changed).Specs)
}

func parameterizedDiff(old, changed *api.ParameterizedJobConfig) ([]*api.FieldDiff, []*api.ObjectDiff) {
	a, b := orEmpty(old), orEmpty(changed)
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext), slices.Concat(
		textsShown("MetaOptional", a.MetaOptional, b.MetaOptional),
		textsShown("MetaRequired", a.MetaRequired, b.MetaRequired),
	)
}

func uiDiff(old, changed *api.JobUIConfig) ([]*api.FieldDiff, []*api.ObjectDiff) {
	return fieldDiffs(fieldsOf(old), fieldsOf(changed), withContext),
		orderedDiff("Link", orEmpty(old).Links, orEmpty(changed).Links, linkDiff)
}

func linkDiff(old, changed *api.JobUILink) ([]*api.FieldDiff, []*api.ObjectDiff) {
	shown := func(l *api.JobUILink) fields {
		if l == nil {
			return nil
		}
		return fields{"Label": l.Label, "Url": l.URL}
	}
	return fieldDiffs(shown(old), shown(changed), withContext), nil
}
