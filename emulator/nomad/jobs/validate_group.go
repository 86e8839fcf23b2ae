package jobs

import (
	"strings"

	"github.com/hashicorp/nomad/api"
)

const minDiskMB = 10

func checkGroup(p *problems, job *api.Job, group *api.TaskGroup) {
	name := *group.Name
	p.when(name == "", "Missing task group name")
	p.when(strings.Contains(name, "\x00"), "Task group name contains null character")
	p.when(*group.Count < 0, "Task group count can't be negative")
	p.when(len(group.Tasks) == 0, "Missing tasks for task group")
	checkDisconnect(p, *job.Type, group.Disconnect)
	checkConstraints(p, group.Constraints)
	checkAffinities(p, *job.Type, group.Affinities)
	checkRestart(p, group.RestartPolicy)
	checkSpreads(p, *job.Type, group.Spreads)
	checkReschedule(p, *job.Type, group.ReschedulePolicy)
	if size := *group.EphemeralDisk.SizeMB; size < minDiskMB {
		p.add("minimum DiskMB value is %d; got %d", minDiskMB, size)
	}
	checkUpdate(p, *job.Type, group.Update)
	checkMigrate(p, *job.Type, group.Migrate)
	checkTaskList(p, group.Tasks)
	checkVolumes(p, *job.Type, group)
	checkNetworks(p, group)
	checkGroupServices(p, group)
	checkScaling(p, group)
	for _, task := range group.Tasks {
		var inTask problems
		checkTask(&inTask, *job.Type, group, task)
		p.in(inTask, "Task %s validation failed: ", task.Name)
	}
}

// checkTaskList checks what concerns the tasks of a group among each other.
func checkTaskList(p *problems, tasks []*api.Task) {
	first, leaders := map[string]int{}, 0
	for i, task := range tasks {
		if before, ok := first[task.Name]; task.Name == "" {
			p.add("Task %d missing name", i+1)
		} else if ok {
			p.add("Task %d redefines '%s' from task %d", i+1, task.Name, before)
		} else {
			first[task.Name] = i + 1
		}
		if task.Leader {
			leaders++
		}
	}
	p.when(leaders > 1, "Only one task may be marked as leader")
}

func checkDisconnect(p *problems, jobType string, d *api.DisconnectStrategy) {
	if d == nil {
		return
	}
	p.when(value(d.StopOnClientAfter) < 0, "stop_after cannot be a negative duration")
	if d.StopOnClientAfter != nil && jobType != api.JobTypeService && jobType != api.JobTypeBatch {
		p.add("stop_after can only be used with service or batch job types")
	}
	p.when(value(d.LostAfter) < 0, "lost_after cannot be a negative duration")
	p.when(value(d.LostAfter) != 0 && value(d.StopOnClientAfter) != 0,
		"Disconnect cannot be configured with both lost_after and stop_after")
	switch *d.Reconcile {
	case "", api.ReconcileOptionBestScore, api.ReconcileOptionKeepOriginal,
		api.ReconcileOptionKeepReplacement, api.ReconcileOptionLongestRunning:
	default:
		p.add("reconcile option is invalid: %s", *d.Reconcile)
	}
}

func checkScaling(p *problems, group *api.TaskGroup) {
	policy := group.Scaling
	if policy == nil {
		return
	}
	var wrong problems
	wrong.when(*group.Name == "", "missing target group")
	if policy.Type != api.ScalingPolicyTypeHorizontal {
		wrong.add("scaling policy type %q is not valid", policy.Type)
	}
	minimum, maximum, count := *policy.Min, int64(-1), int64(*group.Count)
	if policy.Max != nil {
		maximum = *policy.Max
	}
	wrong.when(maximum < 0, "maximum count must be specified and non-negative")
	wrong.when(maximum >= 0 && maximum < minimum, "maximum count must not be less than minimum count")
	wrong.when(minimum < 0, "minimum count must be specified and non-negative")
	wrong.when(count < minimum, "task group count must not be less than minimum count in scaling policy")
	wrong.when(count > maximum, "task group count must not be greater than maximum count in scaling policy")
	for i := range wrong {
		wrong[i] = "Scaling policy invalid: " + wrong[i]
	}
	p.in(wrong, "Task group scaling policy validation failed: ")
}
