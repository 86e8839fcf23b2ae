package checks

import "github.com/hashicorp/consul/api"

// thresholds let a status change only after enough results in a row.
type thresholds struct {
	successBeforePassing   int
	failuresBeforeWarning  int
	failuresBeforeCritical int

	successes int // in a row
	failures  int // in a row
}

func newThresholds(d Definition) *thresholds {
	t := &thresholds{
		successBeforePassing:   d.SuccessBeforePassing,
		failuresBeforeWarning:  d.FailuresBeforeWarning,
		failuresBeforeCritical: d.FailuresBeforeCritical,
	}
	if t.failuresBeforeWarning == 0 {
		t.failuresBeforeWarning = t.failuresBeforeCritical
	}
	return t
}

// take counts a result and returns what the check has from now on; false when the result changes nothing.
func (t *thresholds) take(found Result) (Result, bool) {
	if found.Status != api.HealthCritical {
		t.successes, t.failures = t.successes+1, 0
		return found, t.successes >= t.successBeforePassing
	}
	t.successes, t.failures = 0, t.failures+1
	switch {
	case t.failures >= t.failuresBeforeCritical:
		return found, true
	case t.failures >= t.failuresBeforeWarning:
		return Result{Status: api.HealthWarning, Output: found.Output}, true
	}
	return Result{}, false
}
