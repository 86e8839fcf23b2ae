package jobs

import (
	"encoding/json"

	"github.com/hashicorp/nomad/api"
)

// SpecChanged tells whether registering a canonical job makes a new version of
// the one there is: whether they differ in what their author has written.
func SpecChanged(old, job *api.Job) bool {
	return string(specOf(old)) != string(specOf(job))
}

// specOf is a job as its author has written it, for comparing.
func specOf(job *api.Job) []byte {
	spec := *job
	spec.Status, spec.StatusDescription, spec.Stable, spec.Version, spec.SubmitTime = nil, nil, nil, nil, nil
	spec.CreateIndex, spec.ModifyIndex, spec.JobModifyIndex, spec.VersionTag, spec.NomadTokenID = nil, nil, nil, nil, nil
	stopped := job.Stop != nil && *job.Stop
	spec.Stop = &stopped
	text, _ := json.Marshal(&spec) // which can always be written as JSON
	return text
}
