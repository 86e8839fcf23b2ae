package jobs

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

// Types of checks.
const (
	checkHTTP   = "http"
	checkTCP    = "tcp"
	checkGRPC   = "grpc"
	checkScript = "script"
)

const (
	minCheckTime = time.Second
	maxNotes     = 255
)

// checkCheck finds the first thing that is wrong with a check.
func checkCheck(p *problems, s *api.Service, c *api.ServiceCheck) {
	if slices.Contains([]string{checkHTTP, checkTCP, checkGRPC}, c.Type) && s.PortLabel == "" && c.PortLabel == "" {
		p.add("Check %s invalid: check requires a port but neither check nor service %q have a port", c.Name, s.Name)
		return
	}
	switch s.Provider {
	case providerNomad:
		if err := firstOf(checkCommon(c, "tcp, http"), checkNomadOnly(c)); err != nil {
			p.add("%v", err)
		}
	case api.ServiceProviderConsul:
		if err := firstOf(checkCommon(c, "grpc, tcp, http, script"), checkConsulOnly(c)); err != nil {
			p.add("Check %s invalid: %v", c.Name, err)
		}
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkCommon checks what is the same for all providers, but for the types.
func checkCommon(c *api.ServiceCheck, types string) error {
	return firstOf(
		checkType(c, types),
		checkTimes(c),
		checkState(c),
		checkOnUpdate(c),
		checkRestarts(c.CheckRestart),
	)
}

func checkType(c *api.ServiceCheck, types string) error {
	switch nomad := types == "tcp, http"; {
	case c.Type == checkTCP, c.Type == checkGRPC && !nomad:
		return nil
	case c.Type == checkHTTP:
		if c.Path == "" {
			return errors.New("http type must have http path")
		}
		if path, err := url.Parse(c.Path); err != nil {
			return fmt.Errorf("http type must have valid http path")
		} else if path.IsAbs() {
			return errors.New("http type must have relative http path")
		}
		return nil
	case c.Type == checkScript && !nomad:
		if c.Command == "" {
			return errors.New("script type must have a valid script path")
		}
		return nil
	default:
		return fmt.Errorf("invalid check type (%q), must be one of %s", c.Type, types)
	}
}

func checkTimes(c *api.ServiceCheck) error {
	switch {
	case c.Interval == 0:
		return fmt.Errorf("missing required value interval. Interval cannot be less than %v", minCheckTime)
	case c.Interval < minCheckTime:
		return fmt.Errorf("interval (%v) cannot be lower than %v", c.Interval, minCheckTime)
	case c.Timeout == 0:
		return fmt.Errorf("missing required value timeout. Timeout cannot be less than %v", minCheckTime)
	case c.Timeout < minCheckTime:
		return fmt.Errorf("timeout (%v) is lower than required minimum timeout %v", c.Timeout, minCheckTime)
	}
	return nil
}

func checkState(c *api.ServiceCheck) error {
	switch c.InitialStatus {
	case "", "passing", "warning", "critical":
	default:
		return fmt.Errorf("invalid initial check state (%s), must be one of \"passing\", \"warning\", \"critical\" or empty", c.InitialStatus)
	}
	switch c.AddressMode {
	case "", addressHost, addressDriver, addressAlloc:
		return nil
	default:
		return fmt.Errorf("invalid address_mode %q", c.AddressMode)
	}
}

func checkOnUpdate(c *api.ServiceCheck) error {
	restarts := c.CheckRestart != nil
	switch c.OnUpdate {
	case "", api.OnUpdateRequireHealthy:
		return nil
	case api.OnUpdateIgnoreWarn:
		if restarts && !c.CheckRestart.IgnoreWarnings {
			return fmt.Errorf("on_update value %q not supported with check_restart ignore_warnings value \"false\"", c.OnUpdate)
		}
		return nil
	case api.OnUpdateIgnore:
		if restarts {
			return fmt.Errorf("on_update value %q is not compatible with check_restart", c.OnUpdate)
		}
		return nil
	default:
		return fmt.Errorf("on_update must be %q, %q, or %q; got %q", api.OnUpdateRequireHealthy, api.OnUpdateIgnoreWarn, api.OnUpdateIgnore, c.OnUpdate)
	}
}

func checkRestarts(r *api.CheckRestart) error {
	if r == nil {
		return nil
	}
	var p problems
	p.when(r.Limit < 0, "limit must be greater than or equal to 0 but found %d", r.Limit)
	p.when(*r.Grace < 0, "grace period must be greater than or equal to 0 but found %d", *r.Grace)
	if len(p) == 0 {
		return nil
	}
	return errors.New(p.String())
}

// checkNomadOnly checks what Nomad's own service discovery cannot do.
func checkNomadOnly(c *api.ServiceCheck) error {
	const forConsul = " may only be set for Consul service checks"
	switch {
	case c.Expose:
		return errors.New("expose" + forConsul)
	case c.AddressMode == addressDriver:
		return errors.New("address_mode = driver" + forConsul)
	case c.SuccessBeforePassing != 0:
		return errors.New("success_before_passing" + forConsul)
	}
	if c.Type == checkHTTP {
		switch strings.ToUpper(c.Method) {
		case "", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch,
			http.MethodOptions, http.MethodTrace, http.MethodConnect:
		default:
			return fmt.Errorf("method type %q not supported in Nomad http check", c.Method)
		}
	}
	switch {
	case c.FailuresBeforeCritical != 0:
		return errors.New("failures_before_critical" + forConsul)
	case c.FailuresBeforeWarning != 0:
		return errors.New("failures_before_warning" + forConsul)
	case c.TLSServerName != "":
		return errors.New("tls_server_name" + forConsul)
	}
	return nil
}

// checkConsulOnly checks what only Consul can do.
func checkConsulOnly(c *api.ServiceCheck) error {
	if c.Type != checkHTTP && c.Type != checkGRPC && c.Expose {
		return errors.New("expose may only be set on HTTP or gRPC checks")
	}
	if c.Type == checkScript {
		const unsupported = "%s not supported for check of type %q"
		switch {
		case c.SuccessBeforePassing != 0:
			return fmt.Errorf(unsupported, "success_before_passing", c.Type)
		case c.FailuresBeforeCritical != 0:
			return fmt.Errorf(unsupported, "failures_before_critical", c.Type)
		case c.FailuresBeforeWarning != 0:
			return fmt.Errorf(unsupported, "failures_before_warning", c.Type)
		}
	}
	if len(c.Notes) > maxNotes {
		return fmt.Errorf("notes must not be longer than %d characters", maxNotes)
	}
	return nil
}
