package nomad

import (
	"net/http"
	"slices"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// errSchedules is what the community edition says of tasks that are to run at
// certain times only.
var errSchedules = fail(http.StatusInternalServerError, "Enterprise only")

func (r *request) pausedAllocation() (any, error) {
	if _, _, err := r.allocationAsked(acl.ReadJob); err != nil {
		return nil, err
	}
	return nil, errSchedules
}

func (r *request) pauseAllocation() (any, error) {
	var asked struct{ ScheduleState string }
	if err := r.decode(&asked); err != nil || !slices.Contains([]string{"pause", "run", "scheduled"}, asked.ScheduleState) {
		return nil, badRequest("Not a valid task schedule state")
	}
	if _, _, err := r.allocationAsked(acl.AllocLifecycle); err != nil {
		return nil, err
	}
	return nil, errSchedules
}
