package nomad

import "net/http"

func agentRoutes() []route {
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
		partial(http.MethodGet, "/v1/agent/monitor/export", (*request).exportLog, "there is no journal: what it has of the agent is empty"),
		faithful(http.MethodGet, "/v1/agent/pprof/{profile}", (*request).agentProfile),
		faithful(http.MethodGet, "/v1/agent/schedulers", (*request).agentSchedulers),
		faithful(http.MethodGet, "/v1/agent/schedulers/config", (*request).agentSchedulerConfig),
		partial(http.MethodPut, "/v1/agent/schedulers/config", (*request).setAgentSchedulerConfig, "there is one worker, whatever the number"),
		faithful(http.MethodGet, "/v1/agent/keyring/list", (*request).listGossipKeys),
		faithful(http.MethodPut, "/v1/agent/keyring/install", (*request).changeGossipKeys),
		faithful(http.MethodPut, "/v1/agent/keyring/use", (*request).changeGossipKeys),
		faithful(http.MethodPut, "/v1/agent/keyring/remove", (*request).changeGossipKeys),
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
