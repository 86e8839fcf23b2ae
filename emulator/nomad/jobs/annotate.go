package jobs

import (
	"strconv"

	"github.com/hashicorp/nomad/api"
)

// What a change makes the scheduler do, as annotations of a diff say it, and as
// they count it by group.
const (
	forcesCreate  = "forces create"
	forcesDestroy = "forces destroy"
	forcesInPlace = "forces in-place update"
	forcesReplace = "forces create/destroy update"

	updateCreate     = "create"
	updateDestroy    = "destroy"
	updateMigrate    = "migrate"
	updateCanary     = "canary"
	updateInPlace    = "in-place update"
	updateReplace    = "create/destroy update"
	updateIgnore     = "ignore"
	updatePreemption = "preemptions"
)

// Annotate adds to a diff what the change does to allocations: the scheduler's
// counts by group, and what makes each change necessary.
func Annotate(diff *api.JobDiff, updates map[string]*api.DesiredUpdates) {
	for _, group := range diff.TaskGroups {
		if planned, ok := updates[group.Name]; ok {
			group.Updates = countUpdates(planned)
		}
		annotateCount(group)
		for _, task := range group.Tasks {
			annotateTask(group, task)
		}
	}
}

func countUpdates(u *api.DesiredUpdates) map[string]uint64 {
	counts := map[string]uint64{}
	for kind, n := range map[string]uint64{
		updateIgnore: u.Ignore, updateCreate: u.Place, updateMigrate: u.Migrate, updateDestroy: u.Stop,
		updateCanary: u.Canary, updateInPlace: u.InPlaceUpdate, updateReplace: u.DestructiveUpdate, updatePreemption: u.Preemptions,
	} {
		if n > 0 {
			counts[kind] = n
		}
	}
	return counts
}

func annotateCount(group *api.TaskGroupDiff) {
	for _, field := range group.Fields {
		if field.Name != "Count" {
			continue
		}
		old, _ := strconv.Atoi(field.Old)     // 0 where there is none
		changed, _ := strconv.Atoi(field.New) // likewise
		switch {
		case changed > old:
			field.Annotations = []string{forcesCreate}
		case changed < old:
			field.Annotations = []string{forcesDestroy}
		}
	}
}

func annotateTask(group *api.TaskGroupDiff, task *api.TaskDiff) {
	switch {
	case task.Type == DiffNone:
	case group.Type == DiffAdded:
		task.Annotations = []string{forcesCreate}
	case group.Type == DiffDeleted:
		task.Annotations = []string{forcesDestroy}
	case task.Type == DiffEdited && inPlace(task):
		task.Annotations = []string{forcesInPlace}
	default:
		task.Annotations = []string{forcesReplace}
	}
}

// inPlace tells whether a running task can go on with its changes.
func inPlace(task *api.TaskDiff) bool {
	for _, field := range task.Fields {
		if field.Name != "KillTimeout" {
			return false
		}
	}
	for _, object := range task.Objects {
		switch object.Name {
		case "Constraint", "Affinity", "Service":
		default:
			return false
		}
	}
	return true
}
