package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
)

// parseJob turns a job file into the JSON of its job.
func (r *request) parseJob() (any, error) {
	if err := r.needIn(r.namespace(), acl.ParseJob, acl.SubmitJob); err != nil {
		return nil, err
	}
	var asked api.JobsParseRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	job, err := jobs.Parse(&asked)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return job, nil
}

// validateJob tells what is wrong with a job that is not registered.
func (r *request) validateJob() (any, error) {
	var asked api.JobValidateRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if asked.Job == nil {
		return nil, badRequest("Job must be specified")
	}
	jobs.Canonicalize(asked.Job)
	if err := r.needIn(*asked.Job.Namespace, acl.ReadJob); err != nil {
		return nil, err
	}
	problems, warnings := jobs.Validate(asked.Job, r.cluster())
	answer := api.JobValidateResponse{
		DriverConfigValidated: true, ValidationErrors: problems, Warnings: jobs.Warnings(warnings),
	}
	if len(problems) > 0 {
		answer.Error = jobs.Refusal(problems)
	}
	return answer, nil
}
