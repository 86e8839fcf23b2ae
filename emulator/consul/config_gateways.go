package consul

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/consul/api"
)

func prepareIngressGateway(e *api.IngressGatewayConfigEntry) error {
	if d := e.Defaults; d != nil {
		for _, limit := range []**uint32{&d.MaxConnections, &d.MaxPendingRequests, &d.MaxConcurrentRequests} {
			if *limit == nil {
				*limit = new(uint32) // no limit
			}
		}
	}
	ports := map[int]bool{}
	for i := range e.Listeners {
		l := &e.Listeners[i]
		l.Protocol = cmp.Or(l.Protocol, "tcp")
		if ports[l.Port] {
			return fmt.Errorf("port %d declared on two listeners", l.Port)
		}
		ports[l.Port] = true
		if err := checkIngressListener(l); err != nil {
			return err
		}
	}
	return nil
}

func checkIngressListener(l *api.IngressListener) error {
	if !slices.Contains([]string{"tcp", "http", "http2", "grpc"}, l.Protocol) {
		return fmt.Errorf("protocol must be 'tcp', 'http', 'http2', or 'grpc'. '%s' is an unsupported protocol", l.Protocol)
	}
	if len(l.Services) == 0 {
		return errText("No service declared for listener with port %d", l.Port)
	}
	names := map[string]bool{}
	for _, service := range l.Services {
		switch {
		case service.Name == "":
			return errText("Service name cannot be blank (listener on port %d)", l.Port)
		case service.Name == wildcard && l.Protocol != "http":
			return errText("Wildcard service name is only valid for protocol = 'http' (listener on port %d)", l.Port)
		case service.Name == wildcard && len(service.Hosts) > 0:
			return errText("Associating hosts to a wildcard service is not supported (listener on port %d)", l.Port)
		case names[service.Name]:
			return errText("Service %q cannot be added multiple times (listener on port %d)", service.Name, l.Port)
		}
		names[service.Name] = true
	}
	if l.Protocol == "tcp" && len(l.Services) > 1 {
		return errText("Multiple services per listener are only supported for L7 protocols, 'http', 'grpc' and 'http2' (listener on port %d)", l.Port)
	}
	return nil
}

func checkTerminatingGateway(e *api.TerminatingGatewayConfigEntry) error {
	names := map[string]bool{}
	for _, service := range e.Services {
		switch {
		case service.Name == "":
			return errText("Service name cannot be blank.")
		case names[service.Name]:
			return errText("Service %q was specified more than once within a namespace", service.Name)
		case (service.CertFile != "") != (service.KeyFile != "") ||
			service.CertFile != "" && service.CAFile == "":
			return errText("Service %q must have a CertFile, CAFile, and KeyFile specified for TLS origination", service.Name)
		}
		names[service.Name] = true
	}
	return nil
}

func checkAPIGateway(e *api.APIGatewayConfigEntry) error {
	for _, l := range e.Listeners {
		if l.Protocol != "tcp" && l.Protocol != "http" {
			return fmt.Errorf("unsupported listener protocol %q, must be one of 'tcp', or 'http'", l.Protocol)
		}
	}
	return nil
}

func prepareHTTPRoute(e *api.HTTPRouteConfigEntry) {
	for i := range e.Rules {
		for j := range e.Rules[i].Services {
			service := &e.Rules[i].Services[j]
			service.Weight = cmp.Or(service.Weight, 1)
		}
	}
}

func checkTCPRoute(e *api.TCPRouteConfigEntry) error {
	if len(e.Services) > 1 {
		return errors.New("tcp-route currently only supports one service")
	}
	return nil
}
