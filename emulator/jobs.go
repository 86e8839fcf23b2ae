package emulator

import (
	"io/fs"
	"maps"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs"
)

// jobNames are the jobs of a folder of job files; none without a folder.
func jobNames(files fs.FS) ([]string, error) {
	if files == nil {
		return nil, nil
	}
	return jobs.Names(files)
}

// offline are the jobs' variables that differ where all is on one machine: the
// feed may be asked often, and webhooks go to programs beside it.
var offline = map[string]map[string]string{
	"quotes":   {"every": "1s"},
	"webhooks": {"private": "allow"},
}

// job is a job that the stack runs.
type job struct{ jobs.Job }

// readJobs reads the job files, in the order of their names, without those of
// the parts that the stack has itself.
func (s *Stack) readJobs(names []string) ([]job, error) {
	var list []job
	for _, name := range names {
		given := map[string]string{"http_port": strconv.Itoa(s.options.Ports[name])}
		maps.Copy(given, offline[name])
		read, err := jobs.Read(s.options.Jobs, name, given)
		if err != nil {
			return nil, err
		}
		if read.Part() == "" {
			list = append(list, job{read})
		}
	}
	return list, nil
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
