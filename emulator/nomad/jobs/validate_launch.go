package jobs

import (
	"slices"

	"github.com/hashicorp/cronexpr"
	"github.com/hashicorp/nomad/api"
)

// What a parameterized job says of the payload of its children.
const (
	PayloadForbidden = "forbidden"
	PayloadOptional  = "optional"
	PayloadRequired  = "required"
)

// specTest is a type of specifications that the real program's own tests use.
const specTest = "_internal_test"

func checkPeriodic(p *problems, job *api.Job) {
	c := job.Periodic
	if c == nil || !*c.Enabled {
		return
	}
	if *job.Type != api.JobTypeBatch && *job.Type != api.JobTypeSysbatch {
		p.add("Periodic can only be used with %q or %q scheduler", api.JobTypeBatch, api.JobTypeSysbatch)
	}
	var wrong problems
	wrong.when(*c.Spec != "" && len(c.Specs) > 0, "Only cron or crons may be used")
	wrong.when(*c.Spec == "" && len(c.Specs) == 0, "Must specify a spec")
	if _, err := c.GetLocation(); err != nil {
		wrong.add("Invalid time zone %q: %v", *c.TimeZone, err)
	}
	switch *c.SpecType {
	case api.PeriodicSpecCron:
		for _, spec := range specs(c) {
			if _, err := cronexpr.Parse(spec); err != nil {
				wrong.add("Invalid cron spec %q: %v", spec, err)
			}
		}
	case specTest:
	default:
		wrong.add("Unknown periodic specification type %q", *c.SpecType)
	}
	p.in(wrong, "")
}

// specs are the specifications of when a job is launched.
func specs(c *api.PeriodicConfig) []string {
	if *c.Spec == "" {
		return c.Specs
	}
	return append([]string{*c.Spec}, c.Specs...)
}

func checkParameterized(p *problems, job *api.Job) {
	c := job.ParameterizedJob
	if c == nil {
		return
	}
	if *job.Type != api.JobTypeBatch && *job.Type != api.JobTypeSysbatch {
		p.add("Parameterized job can only be used with %q or %q scheduler", api.JobTypeBatch, api.JobTypeSysbatch)
	}
	var wrong problems
	switch c.Payload {
	case PayloadForbidden, PayloadOptional, PayloadRequired:
	default:
		wrong.add("Unknown payload requirement: %q", c.Payload)
	}
	var both []string
	for _, key := range c.MetaOptional {
		if slices.Contains(c.MetaRequired, key) {
			both = append(both, key)
		}
	}
	wrong.when(len(both) > 0, "Required and optional meta keys should be disjoint. Following keys exist in both: %v", both)
	p.in(wrong, "")
}
