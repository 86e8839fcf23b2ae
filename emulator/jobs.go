package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
)

// extension is what the names of job files end in; the job's name is before it.
const extension = ".nomad.hcl"

// jobNames are the jobs of a folder of job files; none without a folder.
func jobNames(jobs fs.FS) ([]string, error) {
	if jobs == nil {
		return nil, nil
	}
	names, err := fs.Glob(jobs, "*"+extension)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no job file *.nomad.hcl to run")
	}
	for i, file := range names {
		names[i] = strings.TrimSuffix(file, extension)
	}
	return names, nil
}

// offline are the jobs' variables that differ where all is on one machine: the
// feed may be asked often, and webhooks go to programs beside it.
var offline = map[string]map[string]string{
	"quotes":   {"every": "1s"},
	"webhooks": {"private": "allow"},
}

// job is a job file that was read.
type job struct {
	*api.Job
	name      string // of the file, without the extension
	source    string
	variables map[string]string // that were given values
}

// readJobs reads the job files, in the order of their names.
func (s *Stack) readJobs(names []string) ([]job, error) {
	var list []job
	for _, name := range names {
		text, err := fs.ReadFile(s.options.Jobs, name+extension)
		if err != nil {
			return nil, err
		}
		given := map[string]string{"http_port": strconv.Itoa(s.options.Ports[name])}
		maps.Copy(given, offline[name])
		read, err := parseJob(name, text, given)
		if err != nil {
			return nil, fmt.Errorf("read job file %s: %w", name+extension, err)
		}
		list = append(list, read)
	}
	return list, nil
}

// parseJob reads a job file as `nomad job run` does, with values for those of
// the variables that it declares.
func parseJob(name string, text []byte, given map[string]string) (job, error) {
	declares, err := declaredVariables(name+extension, text)
	if err != nil {
		return job{}, err
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
		Path: name + extension, Body: text, AllowFS: true, Strict: true, ArgVars: flags,
	})
	if err != nil {
		return job{}, err
	}
	if parsed.ID == nil || *parsed.ID == "" {
		return job{}, errors.New("the job has no ID")
	}
	return job{Job: parsed, name: name, source: string(text), variables: variables}, nil
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

func (j job) namespace() string {
	if j.Namespace == nil || *j.Namespace == "" {
		return api.DefaultNamespace
	}
	return *j.Namespace
}

// waits tells whether a job has no instance before its time comes or it is dispatched.
func (j job) waits() bool { return j.IsPeriodic() || j.IsParameterized() }

// isBatch tells whether the job's instances may come to their end.
func (j job) isBatch() bool {
	return j.Type != nil && (*j.Type == api.JobTypeBatch || *j.Type == api.JobTypeSysbatch)
}

// isSystem tells whether the job has an instance on each node that is fit for it.
func (j job) isSystem() bool {
	return j.Type != nil && (*j.Type == api.JobTypeSystem || *j.Type == api.JobTypeSysbatch)
}

// countOf is how many instances a group is to have.
func countOf(group *api.TaskGroup) int {
	if group.Count == nil {
		return 1
	}
	return *group.Count
}
