package jobs

import (
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

const (
	minPriority       = 1
	maxPriority       = 100
	maxAllocations    = 50000
	maxUIDescription  = 1000
	typeCore          = "_core"
	multiregionRefuse = "Multiregion jobs are unlicensed."
)

// Cluster is what a job may refer to, and is refused where it does not exist.
type Cluster struct {
	HasNamespace, HasNodePool func(name string) bool // nil: every name exists
	// MemoryOversubscription says that tasks may use more memory than they
	// reserve; else a job that asks for it gets a warning.
	MemoryOversubscription bool
}

// Validate tells what is wrong with a canonical job, and what it warns of, in the
// words of the real program without an Enterprise licence and without Vault. The
// errors are those of the answer to a validation; Refusal makes of them that to a
// registration, and Warnings makes one text of the warnings.
func Validate(job *api.Job, cluster Cluster) (errors, warnings []string) {
	var p problems
	checkRefused(&p, job)
	checkExistence(&p, job, cluster)
	checkJob(&p, job)
	checkSubmission(&p, job)
	checkEnterprise(&p, job)
	return p, warn(job, cluster)
}

func checkExistence(p *problems, job *api.Job, cluster Cluster) {
	if has := cluster.HasNamespace; has != nil && !has(*job.Namespace) {
		p.add("job %q is in nonexistent namespace %q", *job.ID, *job.Namespace)
	}
	if has := cluster.HasNodePool; has != nil && !has(*job.NodePool) {
		p.add("job %q is in nonexistent node pool %q", *job.ID, *job.NodePool)
	}
}

func checkJob(p *problems, job *api.Job) {
	p.when(*job.Region == "", "Missing job region")
	checkJobNames(p, job)
	switch *job.Type {
	case api.JobTypeService, api.JobTypeBatch, api.JobTypeSystem, api.JobTypeSysbatch, typeCore:
	case "":
		p.add("Missing job type")
	default:
		p.add("Invalid job type: %q", *job.Type)
	}
	for _, datacenter := range job.Datacenters {
		p.when(datacenter == "", "Job datacenter must be non-empty string")
	}
	p.when(len(job.TaskGroups) == 0, "Missing job task groups")
	checkConstraints(p, job.Constraints)
	checkAffinities(p, *job.Type, job.Affinities)
	checkSpreads(p, *job.Type, job.Spreads)
	if job.UI != nil && len(job.UI.Description) > maxUIDescription {
		p.add("UI description must be under %d characters, currently %d", maxUIDescription, len(job.UI.Description))
	}
	checkGroupList(p, job)
	for _, group := range job.TaskGroups {
		var inGroup problems
		checkGroup(&inGroup, job, group)
		p.in(inGroup, "Task group %s validation failed: ", *group.Name)
	}
	checkPeriodic(p, job)
	checkParameterized(p, job)
}

func checkJobNames(p *problems, job *api.Job) {
	const null = "\x00"
	switch id := *job.ID; {
	case id == "":
		p.add("Missing job ID")
	case strings.Contains(id, " "):
		p.add("Job ID contains a space")
	case strings.Contains(id, null):
		p.add("Job ID contains a null character")
	}
	switch name := *job.Name; {
	case name == "":
		p.add("Missing job name")
	case strings.Contains(name, null):
		p.add("Job Name contains a null character")
	}
}

// checkGroupList checks what concerns the groups among each other.
func checkGroupList(p *problems, job *api.Job) {
	first := map[string]int{}
	for i, group := range job.TaskGroups {
		name := *group.Name
		if before, ok := first[name]; name == "" {
			p.add("Job task group %d missing name", i+1)
		} else if ok {
			p.add("Job task group %d redefines '%s' from group %d", i+1, name, before)
		} else {
			first[name] = i + 1
		}
		p.when(value(group.ShutdownDelay) < 0, "ShutdownDelay must be a positive value")
		if *job.Type == api.JobTypeSystem && *group.Count > 1 {
			p.add("Job task group %s has count %d. Count cannot exceed 1 with system scheduler", name, *group.Count)
		}
	}
}

// checkSubmission checks what only concerns jobs that clients submit.
func checkSubmission(p *problems, job *api.Job) {
	p.when(job.IsMultiregion(), multiregionRefuse)
	p.when(*job.Type == typeCore, "job type cannot be core")
	p.when(len(job.Payload) > 0, "job can't be submitted with a payload, only dispatched")
	if *job.Priority < minPriority || *job.Priority > maxPriority {
		p.add("job priority must be between [%d, %d]", minPriority, maxPriority)
	}
	checkServiceIdentities(p, job)
	total := 0
	for _, group := range job.TaskGroups {
		total += *group.Count
	}
	p.when(total > maxAllocations, "total count was greater than configured job_max_count: %d > %d", total, maxAllocations)
}

func isSystem(jobType string) bool {
	return slices.Contains([]string{api.JobTypeSystem, api.JobTypeSysbatch}, jobType)
}
