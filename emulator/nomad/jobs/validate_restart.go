package jobs

import (
	"time"

	"github.com/hashicorp/nomad/api"
)

const (
	minRestartInterval    = 5 * time.Second
	minRescheduleInterval = 15 * time.Second
	minRescheduleDelay    = 5 * time.Second
)

// Functions by which the delays between attempts grow.
const (
	delayConstant    = "constant"
	delayExponential = "exponential"
	delayFibonacci   = "fibonacci"
)

func checkRestart(p *problems, r *api.RestartPolicy) {
	if *r.Mode != api.RestartPolicyModeDelay && *r.Mode != api.RestartPolicyModeFail {
		p.add("Unsupported restart mode: %q", *r.Mode)
		return
	}
	p.when(*r.Attempts == 0 && *r.Mode != api.RestartPolicyModeFail,
		"Restart policy %q with %d attempts is ambiguous", *r.Mode, *r.Attempts)
	p.when(*r.Interval < minRestartInterval, "Interval can not be less than %v (got %v)", minRestartInterval, *r.Interval)
	p.when(time.Duration(*r.Attempts)**r.Delay > *r.Interval,
		"Nomad can't restart the TaskGroup %d times in an interval of %v with a delay of %v", *r.Attempts, *r.Interval, *r.Delay)
}

func checkReschedule(p *problems, jobType string, r *api.ReschedulePolicy) {
	if r == nil {
		return
	}
	if isSystem(jobType) {
		p.add("System or sysbatch jobs should not have a reschedule policy")
		return
	}
	if *r.Attempts <= 0 && !*r.Unlimited {
		return // it never reschedules
	}
	if *r.Attempts > 0 {
		p.when(*r.Interval <= 0, "Interval must be a non zero value if Attempts > 0")
		p.when(*r.Unlimited, "Reschedule Policy with Attempts = %d, Interval = %v, and Unlimited = %v is ambiguous",
			*r.Attempts, *r.Interval, *r.Unlimited)
		p.when(*r.Unlimited, "If Attempts >0, Unlimited cannot also be set to true")
	}
	valid := checkRescheduleDelays(p, r)
	if valid && !*r.Unlimited {
		p.when(*r.Interval < minRescheduleInterval, "Interval cannot be less than %v (got %v)", minRescheduleInterval, *r.Interval)
		checkAttempts(p, r)
	}
}

// checkRescheduleDelays reports whether the delays make sense, whatever the
// interval is.
func checkRescheduleDelays(p *problems, r *api.ReschedulePolicy) (valid bool) {
	before := len(*p)
	p.when(*r.Delay < minRescheduleDelay, "Delay cannot be less than %v (got %v)", minRescheduleDelay, *r.Delay)
	switch *r.DelayFunction {
	case delayConstant, delayExponential, delayFibonacci:
	default:
		p.add("Invalid delay function %q, must be one of %q", *r.DelayFunction,
			[]string{delayConstant, delayExponential, delayFibonacci})
	}
	if *r.DelayFunction != delayConstant {
		p.when(*r.MaxDelay < minRescheduleDelay, "Max Delay cannot be less than %v (got %v)", minRescheduleDelay, *r.Delay)
		p.when(*r.MaxDelay < *r.Delay, "Max Delay cannot be less than Delay %v (got %v)", *r.Delay, *r.MaxDelay)
	}
	return len(*p) == before
}

// checkAttempts checks that the attempts can be made within the interval.
func checkAttempts(p *problems, r *api.ReschedulePolicy) {
	possible, needed := fit(r)
	if possible >= *r.Attempts {
		return
	}
	if *r.DelayFunction == delayConstant {
		p.add("Nomad can only make %v attempts in %v with initial delay %v and delay function %q",
			possible, *r.Interval, *r.Delay, *r.DelayFunction)
	} else {
		p.add("Nomad can only make %v attempts in %v with initial delay %v, delay function %q, and delay ceiling %v",
			possible, *r.Interval, *r.Delay, *r.DelayFunction, *r.MaxDelay)
	}
	p.add("Set the interval to at least %v to accommodate %v attempts", needed.Round(time.Second), *r.Attempts)
}

// fit tells how many attempts the real program thinks possible in the policy's
// interval, and which interval it asks for. It takes the delay that precedes an
// attempt for the time of the attempt, until the delays reach their ceiling; from
// there on it adds them.
func fit(r *api.ReschedulePolicy) (possible int, needed time.Duration) {
	interval, ceiling, attempts := *r.Interval, *r.MaxDelay, *r.Attempts
	if *r.DelayFunction == delayConstant {
		return int(interval / *r.Delay), time.Duration(attempts) * *r.Delay
	}
	growing, last := growingDelays(r)
	base := last
	within := func(at time.Duration) bool { return at < interval }
	if *r.DelayFunction == delayFibonacci {
		base = 0
		within = func(at time.Duration) bool { return at <= interval }
	}
	at := func(attempt int) time.Duration {
		if attempt <= len(growing) {
			return growing[attempt-1]
		}
		return base + time.Duration(attempt-len(growing))*ceiling
	}
	for possible < attempts && within(at(possible+1)) {
		possible++
	}
	return possible, at(attempts)
}

// growingDelays are those below the ceiling, at most as many as there are
// attempts, and the last of them.
func growingDelays(r *api.ReschedulePolicy) (delays []time.Duration, last time.Duration) {
	previous, next := time.Duration(0), *r.Delay
	for len(delays) < *r.Attempts && next <= *r.MaxDelay {
		delays, last = append(delays, next), next
		if *r.DelayFunction == delayFibonacci {
			previous, next = next, previous+next
		} else {
			next *= 2
		}
	}
	return delays, last
}
