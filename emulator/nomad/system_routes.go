package nomad

import (
	"net/http"
	"slices"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func systemRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/system/gc", (*request).systemGC),
		faithful(http.MethodPut, "/v1/system/reconcile/summaries", (*request).reconcileSummaries),
	}
}

func (r *request) systemGC() (any, error) {
	if may, err := r.may(); err != nil || !may.IsManagement() {
		return nil, errDeniedOr(err)
	}
	return nil, r.region.collect(true)
}

// reconcileSummaries counts the allocations of all jobs anew.
func (r *request) reconcileSummaries() (any, error) {
	if may, err := r.may(); err != nil || !may.IsManagement() {
		return nil, errDeniedOr(err)
	}
	return nil, r.write(func(tx *state.Tx) error {
		for _, job := range slices.Collect(tx.Jobs()) {
			tx.Summarize(job)
		}
		return nil
	})
}
