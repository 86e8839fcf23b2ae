package nomad

import (
	"strconv"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobSubmission answers with what a version of a job was submitted as.
func (r *request) jobSubmission() (any, error) {
	version, err := strconv.ParseUint(r.query.Get("version"), 10, 64)
	if err != nil {
		return nil, badRequest("Unable to parse job submission version parameter")
	}
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		submission := view.Submission(namespace, id, version)
		if submission == nil {
			return nil, view.Index(state.TableJobs), notFound("job source not found")
		}
		return submission, submission.JobModifyIndex, nil
	})
}
