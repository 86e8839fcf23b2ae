package jobs

import "github.com/hashicorp/nomad/api"

// Ways to tell that an allocation is healthy.
const (
	healthChecks     = "checks"
	healthTaskStates = "task_states"
	healthManual     = "manual"
)

func checkUpdate(p *problems, jobType string, u *api.UpdateStrategy) {
	if u == nil {
		return
	}
	if jobType != api.JobTypeService && jobType != api.JobTypeSystem {
		p.add("Job type %q does not allow update block", jobType)
		return
	}
	switch *u.HealthCheck {
	case healthChecks, healthTaskStates, healthManual:
	default:
		p.add("Invalid health check given: %q", *u.HealthCheck)
	}
	healthy, deadline, progress := *u.MinHealthyTime, *u.HealthyDeadline, *u.ProgressDeadline
	p.when(*u.MaxParallel < 0, "Max parallel can not be less than zero: %d < 0", *u.MaxParallel)
	p.when(*u.Canary < 0, "Canary count can not be less than zero: %d < 0", *u.Canary)
	p.when(*u.Canary == 0 && *u.AutoPromote, "Auto Promote requires a Canary count greater than zero")
	p.when(healthy < 0, "Minimum healthy time may not be less than zero: %v", healthy)
	p.when(deadline <= 0, "Healthy deadline must be greater than zero: %v", deadline)
	p.when(progress < 0, "Progress deadline must be zero or greater: %v", progress)
	p.when(healthy >= deadline, "Minimum healthy time must be less than healthy deadline: %v > %v", healthy, deadline)
	p.when(progress != 0 && deadline >= progress,
		"Healthy deadline must be less than progress deadline: %v > %v", deadline, progress)
	p.when(*u.Stagger <= 0, "Stagger must be greater than zero: %v", *u.Stagger)
}

func checkMigrate(p *problems, jobType string, m *api.MigrateStrategy) {
	if m == nil {
		return
	}
	if jobType != api.JobTypeService {
		p.add("Job type %q does not allow migrate block", jobType)
		return
	}
	p.when(*m.MaxParallel < 0, "MaxParallel must be >= 0 but found %d", *m.MaxParallel)
	if *m.HealthCheck != healthChecks && *m.HealthCheck != healthTaskStates {
		p.add("Invalid HealthCheck: %q", *m.HealthCheck)
	}
	p.when(*m.MinHealthyTime < 0, "MinHealthyTime is %v and must be >= 0", *m.MinHealthyTime)
	p.when(*m.HealthyDeadline < 0, "HealthyDeadline is %v and must be >= 0", *m.HealthyDeadline)
	p.when(*m.MinHealthyTime > *m.HealthyDeadline, "MinHealthyTime must be less than HealthyDeadline")
}
