package scheduler

import (
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// rememberedReschedules is how many reschedules of an instance are kept, unless
// its policy has to count more.
const rememberedReschedules = 10

// The values of RescheduleTracker.LastReschedule.
const (
	rescheduled    = "ok"
	notRescheduled = "no placement"
)

// RescheduleAt tells whether a failed allocation may be replaced by its group's
// reschedule policy, and when.
func RescheduleAt(a *state.Allocation) (at time.Time, may bool) {
	policy := reschedulePolicy(a)
	if policy == nil {
		return time.Time{}, false
	}
	failed := failedAt(a)
	if !*policy.Unlimited && attempts(a, policy, failed) >= *policy.Attempts {
		return time.Time{}, false
	}
	return failed.Add(rescheduleDelay(policy, events(a), failed)), true
}

// reschedules tells whether the group of an allocation is rescheduled at all.
func reschedules(a *state.Allocation) bool {
	policy := reschedulePolicy(a)
	return policy != nil && (*policy.Unlimited || *policy.Attempts > 0)
}

func reschedulePolicy(a *state.Allocation) *api.ReschedulePolicy {
	group := a.Group()
	if group == nil {
		return nil
	}
	return group.ReschedulePolicy
}

// failedAt is when the last task of an allocation has ended.
func failedAt(a *state.Allocation) time.Time {
	var last time.Time
	for _, task := range a.TaskStates {
		if task.FinishedAt.After(last) {
			last = task.FinishedAt
		}
	}
	if last.IsZero() {
		return time.Unix(0, a.ModifyTime)
	}
	return last
}

func events(a *state.Allocation) []*api.RescheduleEvent {
	if a.RescheduleTracker == nil {
		return nil
	}
	return a.RescheduleTracker.Events
}

// attempts is how often the instance was rescheduled within the policy's interval.
func attempts(a *state.Allocation, policy *api.ReschedulePolicy, now time.Time) int {
	count := 0
	for _, event := range events(a) {
		if now.Sub(time.Unix(0, event.RescheduleTime)) < *policy.Interval {
			count++
		}
	}
	return count
}

// rescheduleDelay is how long to wait after a failure. It grows with each
// reschedule, unless an instance has run for longer than the delay may become.
func rescheduleDelay(policy *api.ReschedulePolicy, past []*api.RescheduleEvent, failed time.Time) time.Duration {
	steps := 0
	for i, event := range past {
		end := failed
		if i+1 < len(past) {
			end = time.Unix(0, past[i+1].RescheduleTime)
		}
		steps++
		if ran := end.Sub(time.Unix(0, event.RescheduleTime)); *policy.MaxDelay > 0 && ran > 2**policy.MaxDelay {
			steps = 0
		}
	}
	delay, last := *policy.Delay, time.Duration(0)
	for range steps {
		switch *policy.DelayFunction {
		case "exponential":
			delay *= 2
		case "fibonacci":
			delay, last = delay+last, delay
		}
		if *policy.MaxDelay > 0 && delay > *policy.MaxDelay {
			return *policy.MaxDelay
		}
	}
	return delay
}

// trackReschedule gives an allocation the history of the failed one that it
// replaces, as far back as the policy looks.
func trackReschedule(a, previous *state.Allocation, now time.Time) {
	past := slices.Clone(events(previous))
	keep := rememberedReschedules
	if policy := reschedulePolicy(previous); policy != nil {
		keep = max(keep, *policy.Attempts)
	}
	past = past[max(0, len(past)-keep):]
	a.RescheduleTracker = &api.RescheduleTracker{
		Events: append(past, &api.RescheduleEvent{
			RescheduleTime: now.UnixNano(), PrevAllocID: previous.ID, PrevNodeID: previous.NodeID,
		}),
		LastReschedule: rescheduled,
	}
}

// penalties are the nodes where the instance that is rescheduled has failed.
func penalties(previous *state.Allocation) map[string]bool {
	nodes := map[string]bool{previous.NodeID: true}
	for _, event := range events(previous) {
		nodes[event.PrevNodeID] = true
	}
	return nodes
}
