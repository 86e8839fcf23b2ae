package nomad

import (
	"net/http"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

func agentRoutes() []route {
	const noGossip = "servers do not gossip, so that there is nothing to encrypt"
	return []route{
		faithful(http.MethodGet, "/v1/agent/self", (*request).agentSelf),
		faithful(http.MethodGet, "/v1/agent/members", (*request).agentMembers),
		faithful(http.MethodPut, "/v1/agent/join", (*request).agentJoin),
		faithful(http.MethodPut, "/v1/agent/force-leave", (*request).agentForceLeave),
		faithful(http.MethodGet, "/v1/agent/servers", (*request).agentServers),
		partial(http.MethodPut, "/v1/agent/servers", (*request).setAgentServers, "the agent is its own server, and stays with it"),
		faithful(http.MethodGet, "/v1/agent/health", (*request).agentHealth),
		faithful(http.MethodGet, "/v1/agent/host", (*request).agentHost),
		faithful(http.MethodGet, "/v1/agent/monitor", (*request).agentMonitor),
		absent(http.MethodGet, "/v1/agent/monitor/export", "the log is not kept by the agent"),
		faithful(http.MethodGet, "/v1/agent/pprof/{profile}", (*request).agentProfile),
		faithful(http.MethodGet, "/v1/agent/schedulers", (*request).agentSchedulers),
		faithful(http.MethodGet, "/v1/agent/schedulers/config", (*request).agentSchedulerConfig),
		partial(http.MethodPut, "/v1/agent/schedulers/config", (*request).setAgentSchedulerConfig, "there is one worker, whatever the number"),
		absent(http.MethodGet, "/v1/agent/keyring/list", noGossip),
		absent(http.MethodPut, "/v1/agent/keyring/install", noGossip),
		absent(http.MethodPut, "/v1/agent/keyring/use", noGossip),
		absent(http.MethodPut, "/v1/agent/keyring/remove", noGossip),
		absent(http.MethodPut, "/v1/agent/reload", "of the settings that can be reloaded, none has a meaning here"),
	}
}

type agentHealth struct {
	OK      bool   `json:"ok"`
	Message string `json:"message"`
}

func (r *request) agentHealth() (any, error) {
	kinds := []string{"server"}
	if asked := r.query.Get("type"); asked != "" {
		kinds = []string{asked}
	} else if len(r.asked.options.Nodes) > 0 {
		kinds = append(kinds, "client")
	}
	answer := map[string]agentHealth{}
	for _, kind := range kinds {
		answer[kind] = agentHealth{OK: true, Message: "ok"}
		if kind == "client" && len(r.asked.options.Nodes) == 0 || kind != "client" && kind != "server" {
			return nil, fail(http.StatusInternalServerError, `{"%s":{"ok":false,"message":"%s not enabled"}}`, kind, kind)
		}
	}
	return answer, nil
}

func (r *request) agentServers() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	return []string{r.asked.rpcAddress()}, nil
}

func (r *request) setAgentServers() (any, error) {
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	if len(r.query["address"]) == 0 {
		return nil, badRequest("missing server addresses")
	}
	return nil, nil
}
