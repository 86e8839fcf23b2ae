package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
)

// ParseJob reads a job file as `nomad job run` does, with Nomad's own parser, and gives the job its defaults. A variable is
// passed only when the file declares it, so that one set of variables serves all files. What this package cannot run is an
// error that names every such place in the file. Functions like file() read relative to the folder of path.
func ParseJob(path string, hcl []byte, variables map[string]string) (*api.Job, error) {
	// Nomad's parser ignores undeclared variables that come from the environment, and only those.
	env := make([]string, 0, len(variables))
	for name, value := range variables {
		env = append(env, jobspec2.VarEnvPrefix+name+"="+value)
	}
	slices.Sort(env)
	job, err := jobspec2.ParseWithConfig(&jobspec2.ParseConfig{Path: path, Body: hcl, AllowFS: true, Strict: true, Envs: env})
	if err != nil {
		return nil, fmt.Errorf("parse job file %s: %w", path, err)
	}
	job.Canonicalize()
	if err := unsupported(job); err != nil {
		return nil, fmt.Errorf("job file %s cannot run here:\n%w", path, err)
	}
	return job, nil
}

// canonical returns a private copy of the job with its defaults, and a text that is equal for equal jobs.
func canonical(job *api.Job) (*api.Job, string, error) {
	if job == nil || job.ID == nil || *job.ID == "" {
		return nil, "", errors.New("the job has no ID")
	}
	own, _, err := copyJob(job)
	if err != nil {
		return nil, "", fmt.Errorf("job %q: %w", *job.ID, err)
	}
	own.Canonicalize()
	if err := unsupported(own); err != nil {
		return nil, "", err
	}
	return copyJob(own)
}

// copyJob copies a job through JSON, the form in which Nomad's API carries it.
func copyJob(job *api.Job) (*api.Job, string, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, "", fmt.Errorf("encode the job: %w", err)
	}
	own := new(api.Job)
	if err := json.Unmarshal(text, own); err != nil {
		return nil, "", fmt.Errorf("decode the job: %w", err)
	}
	return own, string(text), nil
}
