package jobs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
)

// Extension ends the names of job files.
const Extension = ".nomad.hcl"

// MetaPart is the key of a job's meta that names the part of the platform it
// is, as "events" or "objects". A cluster that has the part from elsewhere, as
// the offline stack and a cloud do, does not run the job.
const MetaPart = "part"

// Job is a job file that was read.
type Job struct {
	*api.Job
	Name      string // of the file, without the extension
	Source    string
	Variables map[string]string // that were given values
}

// Names are the jobs of a folder of job files, in their order.
func Names(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "*"+Extension)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no job file *" + Extension + " to run")
	}
	for i, file := range names {
		names[i] = strings.TrimSuffix(file, Extension)
	}
	return names, nil
}

// Given are the values for the variables of one job's file, of values that are
// by the name of the variable for every job, or by job.name for that one.
func Given(values map[string]string, job string) map[string]string {
	given := map[string]string{}
	for variable, value := range values {
		if !strings.Contains(variable, ".") {
			given[variable] = value
		}
	}
	for variable, value := range values {
		if own, ok := strings.CutPrefix(variable, job+"."); ok {
			given[own] = value
		}
	}
	return given
}

// Read reads a job file of the folder as `nomad job run` does, with values for
// those of the variables that it declares.
func Read(files fs.FS, name string, given map[string]string) (Job, error) {
	file := name + Extension
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return Job{}, err
	}
	job, err := parse(file, text, given)
	if err != nil {
		return Job{}, fmt.Errorf("read job file %s: %w", file, err)
	}
	job.Name = name
	return job, nil
}

func parse(file string, text []byte, given map[string]string) (Job, error) {
	declares, err := declaredVariables(file, text)
	if err != nil {
		return Job{}, err
	}
	variables := map[string]string{}
	var flags []string
	for _, variable := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(declares, variable) {
			variables[variable] = given[variable]
			flags = append(flags, variable+"="+given[variable])
		}
	}
	parsed, err := jobspec2.ParseWithConfig(&jobspec2.ParseConfig{
		Path: file, Body: text, AllowFS: true, Strict: true, ArgVars: flags,
	})
	if err != nil {
		return Job{}, err
	}
	if parsed.ID == nil || *parsed.ID == "" {
		return Job{}, errors.New("the job has no ID")
	}
	return Job{Job: parsed, Source: string(text), Variables: variables}, nil
}

// declaredVariables are the names of the variables that a job file declares.
func declaredVariables(name string, text []byte) ([]string, error) {
	file, diagnostics := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	var names []string
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if block.Type == "variable" && len(block.Labels) == 1 {
			names = append(names, block.Labels[0])
		}
	}
	return names, nil
}

// Part is the part of the platform that the job is; empty for one that is none.
func (j Job) Part() string { return j.Meta[MetaPart] }

// Submission is the job file as Nomad keeps it beside the job.
func (j Job) Submission() *api.JobSubmission {
	return &api.JobSubmission{Source: j.Source, Format: "hcl2", VariableFlags: j.Variables}
}

// InNamespace is the namespace that the job runs in.
func (j Job) InNamespace() string {
	if j.Namespace == nil || *j.Namespace == "" {
		return api.DefaultNamespace
	}
	return *j.Namespace
}
