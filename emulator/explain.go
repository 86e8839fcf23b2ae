package emulator

import (
	"context"
	"fmt"
	"net/http"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs/explain"
)

// TaskFailedError says that a task has failed for good, so that its job cannot become healthy.
type TaskFailedError struct {
	JobID      string
	Allocation string // its name, <job>.<group>[<index>]
	explain.Failure
}

func (e *TaskFailedError) Error() string {
	return fmt.Sprintf("allocation %s: %s", e.Allocation, e.Failure)
}

// cluster is where reasons are looked for.
func (s *Stack) cluster() explain.Cluster {
	c := explain.Cluster{Nomad: s.client}
	inConsul, err := consul.NewClient(&consul.Config{Address: s.Consul.URL("dc1"), Transport: &http.Transport{DisableKeepAlives: true}})
	if err == nil {
		c.Consul = inConsul
	}
	return c
}

// taskFailed makes the error of an allocation that has failed.
func (s *Stack) taskFailed(a *api.AllocationListStub) *TaskFailedError {
	ctx, cancel := context.WithTimeout(context.Background(), explainWithin)
	defer cancel()
	return &TaskFailedError{JobID: a.JobID, Allocation: a.Name, Failure: s.cluster().Failed(ctx, a)}
}
