package consul

import (
	"net/http"
	"net/http/pprof"

	"github.com/drydock/drydock/emulator/consul/acl"
)

func debugRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/debug/pprof/{profile...}", debugProfile),
	}
}

// debugProfile serves what Go's profiler knows of the process.
func debugProfile(r *request) (any, error) {
	if !r.agent.options.Debug {
		return nil, fail(http.StatusUnauthorized, "")
	}
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	serve := pprof.Index
	switch r.PathValue("profile") {
	case "cmdline":
		serve = pprof.Cmdline
	case "profile":
		serve = pprof.Profile
	case "symbol":
		serve = pprof.Symbol
	case "trace":
		serve = pprof.Trace
	}
	return streamed(func(w http.ResponseWriter) { serve(w, r.Request) }), nil
}
