package consul

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/filter"
)

// any service, in names and in the keys of Failover.
const wildcard = "*"

func prepareServiceDefaults(e *api.ServiceConfigEntry) error {
	if e.Name == wildcard {
		return errors.New("service-defaults name must be the name of a service, and not a wildcard")
	}
	if e.TransparentProxy == nil {
		e.TransparentProxy = &api.TransparentProxyConfig{}
	}
	e.Protocol = strings.ToLower(e.Protocol)
	if e.Protocol != "" && !slices.Contains(protocols, e.Protocol) {
		return oneError("invalid value for protocol: %s", e.Protocol)
	}
	if e.BalanceInboundConnections != "" && e.BalanceInboundConnections != "exact_balance" {
		return oneError("invalid value for balance_inbound_connections: %s", e.BalanceInboundConnections)
	}
	if e.Destination != nil && (e.Destination.Port < 1 || e.Destination.Port > math.MaxUint16) {
		return oneError("Invalid Port number %d", e.Destination.Port)
	}
	return nil
}

// protocols are those that a service can speak; all but the first two can be
// routed and split by request.
var protocols = []string{"tcp", "udp", "http", "http2", "grpc"}

// perRequest tells whether a protocol can be routed and split by request.
func perRequest(protocol string) bool { return slices.Index(protocols, protocol) >= 2 }

func prepareProxyDefaults(e *api.ProxyConfigEntry) error {
	if e.Name != "" && e.Name != api.ProxyConfigGlobal {
		return fmt.Errorf("invalid name (%q), only %q is supported", e.Name, api.ProxyConfigGlobal)
	}
	e.Name = api.ProxyConfigGlobal
	if e.TransparentProxy == nil {
		e.TransparentProxy = &api.TransparentProxyConfig{}
	}
	if e.AccessLogs == nil {
		e.AccessLogs = &api.AccessLogsConfig{}
	}
	return nil
}

func checkResolver(e *api.ServiceResolverConfigEntry) error {
	for name, subset := range e.Subsets {
		if name == "" {
			return errText("Subset defined with empty name")
		}
		if subset.Filter == "" {
			continue
		}
		if err := filter.Check(subset.Filter); err != nil {
			return errText("Filter for subset %q is not a valid expression: %v", name, err)
		}
	}
	has := func(subset string) bool {
		_, ok := e.Subsets[subset]
		return ok || subset == ""
	}
	if !has(e.DefaultSubset) {
		return errText("DefaultSubset %q is not a valid subset", e.DefaultSubset)
	}
	if e.Redirect != nil {
		if len(e.Failover) > 0 {
			return errText("Redirect and Failover cannot both be set")
		}
		if *e.Redirect == (api.ServiceResolverRedirect{}) {
			return errText("Redirect is empty")
		}
	}
	for subset, failover := range e.Failover {
		if subset != wildcard && !has(subset) {
			return errText("Bad Failover[%q]: not a valid subset subset", subset)
		}
		if failover.Service == "" && failover.ServiceSubset == "" && failover.Namespace == "" &&
			len(failover.Targets) == 0 && failover.SamenessGroup == "" && len(failover.Datacenters) == 0 {
			return errText("Bad Failover[%q]: one of Service, ServiceSubset, Namespace, Targets, SamenessGroup, or Datacenters is required", subset)
		}
	}
	for _, timeout := range []struct {
		name  string
		value time.Duration
	}{{"ConnectTimeout", e.ConnectTimeout}, {"RequestTimeout", e.RequestTimeout}} {
		if timeout.value < 0 {
			return errText("Bad %s '%s', must be >= 0", timeout.name, timeout.value)
		}
	}
	balancers := []string{"", "random", "round_robin", "least_request", "ring_hash", "maglev"}
	if e.LoadBalancer != nil && !slices.Contains(balancers, e.LoadBalancer.Policy) {
		return errText("Bad LoadBalancer policy: %q is not supported", e.LoadBalancer.Policy)
	}
	return nil
}

func checkSplitter(e *api.ServiceSplitterConfigEntry) error {
	if len(e.Splits) == 0 {
		return errors.New("no splits configured")
	}
	// Weights have two decimals, and are added exactly.
	var sum int64
	for i, split := range e.Splits {
		hundredths := math.Round(float64(split.Weight) * 100)
		if split.Weight < 0 || split.Weight > 100 {
			return errText("Split[%d] weight %v is not between 0 and 100", i, split.Weight)
		}
		sum += int64(hundredths)
	}
	if sum != 100*100 {
		return fmt.Errorf("the sum of all split weights must be 100, not %f", float64(sum)/100)
	}
	return nil
}

func checkRouter(e *api.ServiceRouterConfigEntry) error {
	for i, route := range e.Routes {
		if route.Match == nil || route.Match.HTTP == nil {
			continue
		}
		if err := checkRouteMatch(route.Match.HTTP); err != nil {
			return errText("Route[%d] %v", i, err)
		}
	}
	return nil
}

func checkRouteMatch(m *api.ServiceRouteHTTPMatch) error {
	set := 0
	for _, path := range []string{m.PathExact, m.PathPrefix, m.PathRegex} {
		if path != "" {
			set++
		}
	}
	switch {
	case set > 1:
		return errors.New("should only contain at most one of PathExact, PathPrefix, or PathRegex")
	case m.PathExact != "" && m.PathExact[0] != '/':
		return errText("PathExact doesn't start with '/': %q", m.PathExact)
	case m.PathPrefix != "" && m.PathPrefix[0] != '/':
		return errText("PathPrefix doesn't start with '/': %q", m.PathPrefix)
	}
	for i, header := range m.Header {
		if header.Name == "" {
			return errText("Header[%d] missing required Name field", i)
		}
	}
	for i, parameter := range m.QueryParam {
		if parameter.Name == "" {
			return errText("QueryParam[%d] missing required Name field", i)
		}
	}
	for _, method := range m.Methods {
		if !slices.Contains(httpMethods, method) {
			return errText("Methods contains an invalid method %q", method)
		}
	}
	return nil
}

// httpMethods are those that a route can match.
var httpMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}
