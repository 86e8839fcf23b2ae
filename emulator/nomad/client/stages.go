package client

import (
	"github.com/hashicorp/nomad/api"
)

// stage is the place of a task in the life of its allocation.
type stage int

const (
	prestart stage = iota
	prestartSidecar
	mainStage
	poststart
	poststartSidecar
	poststop
)

func stageOf(spec *api.Task) stage {
	if spec.Lifecycle == nil {
		return mainStage
	}
	switch spec.Lifecycle.Hook {
	case api.TaskLifecycleHookPrestart:
		if spec.Lifecycle.Sidecar {
			return prestartSidecar
		}
		return prestart
	case api.TaskLifecycleHookPoststart:
		if spec.Lifecycle.Sidecar {
			return poststartSidecar
		}
		return poststart
	case api.TaskLifecycleHookPoststop:
		return poststop
	}
	return mainStage
}

func (s stage) sidecar() bool { return s == prestartSidecar || s == poststartSidecar }

// mayFinish reports whether a task of the stage and the type of job is done when
// it has ended well.
func (s stage) mayFinish(jobType string) bool {
	switch s {
	case prestart, poststart, poststop:
		return true
	case mainStage:
		return jobType == api.JobTypeBatch || jobType == api.JobTypeSysbatch
	}
	return false
}

// coordinate lets tasks start whose turn it is, ends those that must not go on
// without others, and reports whether all are dead.
func (a *allocRunner) coordinate() (over bool) {
	a.endSiblings()
	a.mu.Lock()
	defer a.mu.Unlock()
	over = true
	for _, t := range a.tasks {
		dead := t.state.State == taskDead
		over = over && dead
		if !dead && a.mayStartLocked(t.stage) {
			t.openLocked()
		}
	}
	return over
}

// mayStartLocked reports whether it is the turn of a stage.
func (a *allocRunner) mayStartLocked(s stage) bool {
	switch s {
	case prestart, prestartSidecar:
		return true
	case mainStage:
		return a.allLocked(func(t *taskRunner) bool {
			return t.stage != prestart && t.stage != prestartSidecar || t.doneLocked() ||
				t.stage == prestartSidecar && t.runsLocked()
		})
	case poststart, poststartSidecar:
		return a.allLocked(func(t *taskRunner) bool {
			return t.stage != mainStage || t.runsLocked() || t.doneLocked()
		})
	}
	return a.allLocked(func(t *taskRunner) bool { return t.stage == poststop || t.state.State == taskDead })
}

func (a *allocRunner) allLocked(is func(t *taskRunner) bool) bool {
	for _, t := range a.tasks {
		if !is(t) {
			return false
		}
	}
	return true
}

// endSiblings ends the tasks that must not go on without one that is dead.
func (a *allocRunner) endSiblings() {
	a.mu.Lock()
	stopping := a.stopped || a.halted // which ends them all, in its own order
	event := a.siblingsEndLocked()
	sidecarsAlone := event == nil && a.sidecarsAloneLocked()
	a.mu.Unlock()
	switch {
	case stopping:
	case event != nil:
		a.killTasks(event)
	case sidecarsAlone:
		a.killTasks(mainDeadEvent)
	}
}

// siblingsEndLocked is why all tasks end: one has failed, or the leader is dead.
func (a *allocRunner) siblingsEndLocked() func() *api.TaskEvent {
	for _, t := range a.tasks {
		switch {
		case t.state.State != taskDead:
		case t.state.Failed && t.stage != poststop:
			return func() *api.TaskEvent { return siblingFailedEvent(t.spec().Name) }
		case t.spec().Leader:
			return leaderDeadEvent
		}
	}
	return nil
}

// sidecarsAloneLocked reports whether nothing but sidecars lives any more.
func (a *allocRunner) sidecarsAloneLocked() bool {
	alive := false
	for _, t := range a.tasks {
		if t.stage == poststop || t.state.State == taskDead {
			continue
		}
		if !t.stage.sidecar() {
			return false
		}
		alive = true
	}
	return alive
}
