package nomad

import (
	"bytes"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobStatus is a job at a glance, with its allocations and its latest deployment.
type jobStatus struct {
	ID               string
	Namespace        string
	Name             string
	Type             string
	NodePool         string
	Datacenters      []string
	Priority         int
	Version          uint64
	SubmitTime       int64
	ModifyIndex      uint64
	Status           string
	Stop             bool
	ParentID         string
	IsPack           bool
	GroupCountSum    int
	Allocs           []allocationStatus
	ChildStatuses    []string // nil unless the job launches others
	LatestDeployment *deploymentStatus
}

type allocationStatus struct {
	ID               string
	Group            string
	ClientStatus     string
	NodeID           string
	JobVersion       uint64
	FollowupEvalID   string
	HasPausedTask    bool
	DeploymentStatus struct {
		Canary  bool
		Healthy *bool
	}
}

type deploymentStatus struct {
	ID                string
	JobVersion        uint64
	Status            string
	StatusDescription string
	IsActive          bool
	AllAutoPromote    bool
	RequiresPromotion bool
}

// jobStatuses lists jobs at a glance, the one that changed last first, or those
// that the body names.
func (r *request) jobStatuses() (any, error) {
	visible, err := r.visibleIn(acl.ListJobs, acl.ReadJob)
	if err != nil {
		return nil, err
	}
	asked, err := r.statusesRequest()
	if err != nil {
		return nil, err
	}
	list, err := r.statusPage()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		chosen := r.chooseJobs(view, asked, visible)
		statuses, index, next, err := list.of(view, chosen)
		if err != nil {
			return nil, 0, err
		}
		if next != "" {
			r.header.Set("X-Nomad-NextToken", next)
		}
		return statuses, index, nil
	})
}

// statusesRequest reads the body, which need not be there.
func (r *request) statusesRequest() (asked api.JobStatusesRequest, err error) {
	body, err := r.body()
	if err != nil || len(body) == 0 {
		return asked, err
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&asked); err != nil {
		return asked, badRequest("error decoding request: %v", err)
	}
	return asked, nil
}

// chooseJobs are the jobs that are asked for. Launched ones are left out, unless
// they are asked for.
func (r *request) chooseJobs(view *state.View, asked api.JobStatusesRequest, visible func(string) bool) []*api.Job {
	children := asked.IncludeChildren || r.flag("include_children")
	var chosen []*api.Job
	for job := range r.namedJobs(view, asked.Jobs) {
		if visible(*job.Namespace) && (children || len(asked.Jobs) > 0 || *job.ParentID == "") {
			chosen = append(chosen, job)
		}
	}
	return chosen
}

func (r *request) namedJobs(view *state.View, names []api.NamespacedID) iter.Seq[*api.Job] {
	if len(names) == 0 {
		return jobRows(view, r.namespace(), r.query.Get("prefix"))
	}
	return func(yield func(*api.Job) bool) {
		for _, name := range names {
			if name.Namespace == "" {
				name.Namespace = r.namespace()
			}
			if job := view.Job(name.Namespace, name.ID); job != nil && !yield(job) {
				return
			}
		}
	}
}

// statusPage is the part of the statuses that is asked for.
type statusPage struct {
	matches     func(any) (bool, error)
	perPage     int
	from        *uint64 // the index to go on with
	oldestFirst bool
}

func (r *request) statusPage() (p statusPage, err error) {
	if p.matches, err = r.filter(); err != nil {
		return p, fail(http.StatusInternalServerError, "%v", err)
	}
	if p.perPage, err = r.perPage(); err != nil {
		return p, err
	}
	p.oldestFirst = r.reverse()
	if token := r.query.Get("next_token"); token != "" {
		from, _ := strconv.ParseUint(token, 10, 64) // of no meaning is the end
		p.from = &from
	}
	return p, nil
}

// of makes the page of the jobs, and the token of the next one.
func (p statusPage) of(view *state.View, list []*api.Job) (statuses []*jobStatus, index uint64, next string, err error) {
	slices.SortStableFunc(list, func(a, b *api.Job) int { return p.compare(*a.ModifyIndex, *b.ModifyIndex) })
	statuses = []*jobStatus{}
	for _, job := range list {
		if p.from != nil && p.compare(*job.ModifyIndex, *p.from) < 0 {
			continue
		}
		ok, err := p.matches(job)
		if err != nil {
			return nil, 0, "", fail(http.StatusInternalServerError, "failed to read result page: %v", err)
		}
		if !ok {
			continue
		}
		if p.perPage > 0 && len(statuses) == p.perPage {
			return statuses, index, strconv.FormatUint(*job.ModifyIndex, 10), nil
		}
		status, changed := statusOfJob(view, job)
		statuses, index = append(statuses, status), max(index, changed)
	}
	return statuses, index, "", nil
}

func (p statusPage) compare(a, b uint64) int {
	switch {
	case a == b:
		return 0
	case (a < b) == p.oldestFirst:
		return -1
	default:
		return +1
	}
}

// statusOfJob is the job at a glance, and when anything in it changed last.
func statusOfJob(view *state.View, job *api.Job) (status *jobStatus, index uint64) {
	_, isPack := job.Meta["pack.name"]
	status, index = &jobStatus{
		ID: *job.ID, Namespace: *job.Namespace, Name: *job.Name, Type: *job.Type, NodePool: *job.NodePool,
		Datacenters: job.Datacenters, Priority: *job.Priority, Version: *job.Version, SubmitTime: *job.SubmitTime,
		ModifyIndex: *job.ModifyIndex, Status: *job.Status, Stop: *job.Stop, ParentID: *job.ParentID, IsPack: isPack,
	}, *job.ModifyIndex
	for _, group := range job.TaskGroups {
		status.GroupCountSum += *group.Count
	}
	for a := range view.AllocationsOfJob(*job.Namespace, *job.ID) {
		status.Allocs = append(status.Allocs, statusOfAllocation(a))
		index = max(index, a.ModifyIndex)
	}
	if waits(job) {
		status.ChildStatuses = []string{}
		for child := range view.JobChildren(*job.Namespace, *job.ID) {
			status.ChildStatuses = append(status.ChildStatuses, *child.Status)
			index = max(index, *child.ModifyIndex)
		}
	}
	if d := view.LatestDeployment(*job.Namespace, *job.ID); d != nil && d.JobCreateIndex == *job.CreateIndex {
		status.LatestDeployment = statusOfDeployment(view, d)
		index = max(index, d.ModifyIndex)
	}
	return status, index
}

func statusOfAllocation(a *state.Allocation) allocationStatus {
	status := allocationStatus{
		ID: a.ID, Group: a.TaskGroup, ClientStatus: a.ClientStatus, NodeID: a.NodeID,
		JobVersion: *a.Job.Version, FollowupEvalID: a.FollowupEvalID,
	}
	if d := a.DeploymentStatus; d != nil {
		status.DeploymentStatus.Canary, status.DeploymentStatus.Healthy = d.Canary, d.Healthy
	}
	return status
}

func statusOfDeployment(view *state.View, d *api.Deployment) *deploymentStatus {
	status := &deploymentStatus{
		ID: d.ID, JobVersion: d.JobVersion, Status: d.Status, StatusDescription: d.StatusDescription,
		IsActive: state.DeploymentActive(d),
	}
	if !status.IsActive {
		return status
	}
	status.AllAutoPromote = true
	job := view.JobVersion(d.Namespace, d.JobID, d.JobVersion)
	for name, group := range d.TaskGroups {
		if group.DesiredCanaries == 0 || group.Promoted {
			continue
		}
		status.RequiresPromotion = true
		status.AllAutoPromote = status.AllAutoPromote && promotesItself(job, name)
	}
	return status
}

func promotesItself(job *api.Job, name string) bool {
	if job == nil {
		return false
	}
	group := job.LookupTaskGroup(name)
	return group != nil && group.Update != nil && *group.Update.AutoPromote
}
