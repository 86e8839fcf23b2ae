package nomad

import (
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/metrics"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// raftGauges are those of the state's history, under the names of Raft.
func (r *region) raftGauges(view *state.View) []metrics.Gauge {
	last := view.LastIndex()
	return []metrics.Gauge{
		gauge("nomad.raft.appliedIndex", last, nil), gauge("nomad.raft.lastIndex", last, nil), gauge("nomad.raft.peers", 1, nil),
		gauge("nomad.state.snapshotIndex", last, nil),
	}
}

// serverGauges are those of what the server follows.
func (r *region) serverGauges(view *state.View) []metrics.Gauge {
	statuses := map[string]int{}
	for job := range view.Jobs() {
		statuses[*job.Status]++
	}
	return append(under("nomad.", []metrics.Gauge{
		gauge("autopilot.healthy", 1, nil), gauge("autopilot.failure_tolerance", 0, nil),
		gauge("heartbeat.active", r.heartbeats.count(), nil),
		gauge("job_status.pending", statuses[state.JobPending], nil),
		gauge("job_status.running", statuses[state.JobRunning], nil),
		gauge("job_status.dead", statuses[state.JobDead], nil),
		gauge("plan.queue_depth", 0, nil), // a plan is applied before the next one is made
	}), gauge("nomad.variables.locks.ttl_timer.num", r.locks.count(), nil))
}

// jobGauges are the summaries of all jobs.
func jobGauges(view *state.View) []metrics.Gauge {
	var list []metrics.Gauge
	for job := range view.Jobs() {
		summary := view.JobSummary(*job.Namespace, *job.ID)
		if summary == nil {
			continue
		}
		for group, counts := range summary.Summary {
			labels := metrics.With(jobLabels(job), "task_group", group)
			list = append(list, under("nomad.job_summary.", []metrics.Gauge{
				gauge("queued", counts.Queued, labels), gauge("complete", counts.Complete, labels),
				gauge("failed", counts.Failed, labels), gauge("running", counts.Running, labels),
				gauge("starting", counts.Starting, labels), gauge("lost", counts.Lost, labels),
				gauge("unknown", counts.Unknown, labels),
			})...)
		}
	}
	return list
}

// jobLabels say which job it is, and what has begun it.
func jobLabels(job *api.Job) map[string]string {
	labels := map[string]string{"job": *job.ID, "namespace": *job.Namespace}
	if job.ParentID == nil || *job.ParentID == "" {
		return labels
	}
	labels["parent_id"] = *job.ParentID
	if id, ok := strings.CutPrefix(*job.ID, *job.ParentID+api.JobDispatchLaunchSuffix); ok {
		labels["dispatch_id"] = id
	}
	if id, ok := strings.CutPrefix(*job.ID, *job.ParentID+api.JobPeriodicLaunchSuffix); ok {
		labels["periodic_id"] = id
	}
	return labels
}

// brokerGauges are those of the evaluations that wait for the scheduler.
func brokerGauges(all queueCounts) []metrics.Gauge {
	list := []metrics.Gauge{
		gauge("total_ready", all.ready(), nil), gauge("total_unacked", all.processed(), nil),
		gauge("total_pending", 0, nil), // those of one job are processed together
		gauge("total_waiting", all.waiting, nil), gauge("total_cancelable", 0, nil),
	}
	for kind, counts := range all.kinds {
		list = append(list, gauge(kind+".ready", counts.ready, nil), gauge(kind+".unacked", counts.processed, nil))
	}
	return under("nomad.broker.", list)
}
