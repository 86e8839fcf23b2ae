package nomad

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// schedulerTypes are the kinds of evaluations that there is a scheduler for.
var schedulerTypes = []string{api.JobTypeService, api.JobTypeBatch, api.JobTypeSystem, api.JobTypeSysbatch, "_core"}

// schedulerWorkers is how the workers of a server are set up.
type schedulerWorkers struct {
	Count   int      `json:"num_schedulers"`
	Enabled []string `json:"enabled_schedulers"`
	Server  string   `json:"server_id"`
}

func (r *request) agentSchedulerConfig() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	return r.asked.workers.get(r.asked.serverName()), nil
}

func (r *request) setAgentSchedulerConfig() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	var asked schedulerWorkers
	if err := r.decode(&asked); err != nil {
		return nil, badRequest("Invalid request: %v", err)
	}
	if asked.Count < 0 || !slices.Contains(asked.Enabled, "_core") {
		return nil, badRequest("Invalid request")
	}
	r.asked.workers.set(asked)
	return r.asked.workers.get(r.asked.serverName()), nil
}

func (r *request) agentSchedulers() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	config := r.asked.workers.get(r.asked.serverName())
	return api.AgentSchedulerWorkersInfo{ServerID: config.Server, Schedulers: []api.AgentSchedulerWorkerInfo{{
		ID: r.asked.id, EnabledSchedulers: config.Enabled, Started: r.asked.started.UTC().Format(time.RFC3339Nano),
		Status: "Started", WorkloadStatus: "WaitingToDequeue",
	}}}, nil
}

// workers is the setting of a region's scheduler workers. The zero value is the default one.
type workers struct {
	mu     sync.Mutex
	config schedulerWorkers
}

// get fills in whose workers they are.
func (w *workers) get(server string) schedulerWorkers {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.config.Enabled == nil {
		w.config = schedulerWorkers{Count: 1, Enabled: schedulerTypes}
	}
	config := w.config
	config.Server = server
	return config
}

func (w *workers) set(config schedulerWorkers) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.config = config
}
