package scheduler

// wantedCanaries is how many nodes get the job's version before it is promoted:
// of a job that runs everywhere, canary is a percentage.
func (e *everywhere) wantedCanaries() int {
	if e.state != nil {
		return e.state.DesiredCanaries
	}
	return max(1, (e.running+len(e.missing))*value(e.spec.Update.Canary)/100)
}

// pace is how many instances may be replaced now.
func (e *everywhere) pace() int {
	switch {
	case !e.tracked:
		return len(e.destructive)
	case !e.proceeds():
		return 0
	case e.canarying:
		return max(0, e.wantedCanaries()-e.canaries)
	case e.broken:
		return 0
	}
	return max(0, *e.spec.Update.MaxParallel-e.waiting)
}

// count notes how many instances there are to be. The real scheduler counts
// those as placed, for a job with a deployment, and all canaries with them.
func (e *everywhere) count() {
	if e.state == nil {
		return
	}
	e.desired.Place = uint64(e.running)
	if e.canarying {
		e.desired.Canary = uint64(e.wantedCanaries())
	}
	switch {
	case e.plan.Deployment != nil:
		e.state.DesiredTotal = e.running
	case e.state.DesiredTotal != e.running:
		e.plan.Totals[e.name] = e.running
	}
}
