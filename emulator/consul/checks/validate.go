package checks

import (
	"slices"

	"github.com/hashicorp/consul/api"
)

// DefinitionError is what Consul says about a definition that it refuses.
type DefinitionError string

// Error is Consul's sentence.
func (e DefinitionError) Error() string { return string(e) }

// ErrStatus is about a status that no check can be registered with. Consul's HTTP API answers with this text alone, and puts
// "Invalid check: " before the others.
const ErrStatus DefinitionError = "Bad check status"

const (
	errInterval      DefinitionError = "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
	errIntervalTTL   DefinitionError = "Interval and TTL cannot both be specified"
	errTTL           DefinitionError = "TTL must be > 0 for TTL checks"
	errAliasInterval DefinitionError = "Interval cannot be set for Alias checks"
	errAliasTTL      DefinitionError = "TTL must be not be set for Alias checks"
	errOutputMaxSize DefinitionError = "MaxOutputMaxSize must be positive"
	errThresholds    DefinitionError = "FailuresBeforeWarning can't be higher than FailuresBeforeCritical"
)

// Validate returns the DefinitionError that Consul has for the definition, or nil.
func (d Definition) Validate() error {
	if err := d.validateTimes(); err != nil {
		return err
	}
	switch {
	case d.OutputMaxSize < 0:
		return errOutputMaxSize
	case d.FailuresBeforeWarning > d.FailuresBeforeCritical:
		return errThresholds
	case d.Status != "" && !slices.Contains([]string{api.HealthPassing, api.HealthWarning, api.HealthCritical}, d.Status):
		return ErrStatus
	}
	return nil
}

func (d Definition) validateTimes() error {
	switch polled := d.isPolled(); {
	case d.Interval > 0 && d.TTL > 0:
		return errIntervalTTL
	case polled && d.isAlias() && d.Interval > 0:
		return errAliasInterval
	case d.isAlias() && d.TTL > 0:
		return errAliasTTL
	case polled && !d.isAlias() && d.Interval <= 0:
		return errInterval
	case !polled && !d.isAlias() && d.TTL <= 0:
		return errTTL
	}
	return nil
}

// isPolled reports whether the definition has a target to ask every now and then.
func (d Definition) isPolled() bool {
	return len(d.ScriptArgs) > 0 || d.HTTP != "" || d.TCP != "" || d.UDP != "" || d.GRPC != "" || d.H2PING != "" || d.OSService != ""
}
