package consul

// guard says what a route needs permission for.
type guard struct {
	route string // method and path, as the table has them
	call  string // the path of a call; $session, $query and $intention stand for IDs of the fixtures
	body  string
	rules string // that are enough
	// sees is what the answer shows to those who may see it; the others get an
	// answer without it. Empty: the others are refused.
	sees string
	// lasts says that the call, when it is allowed, does not return.
	lasts bool
}

const (
	readWeb   = `service "web" { policy = "read" }`
	readN1    = `node "n1" { policy = "read" }`
	writeN1   = `node "n1" { policy = "write" }`
	readBoth  = readWeb + "\n" + readN1
	readLoc   = `service "loc" { policy = "read" }`
	writeLoc  = `service "loc" { policy = "write" }`
	agentRead = `agent "dc1-1" { policy = "read" }`
	agentAll  = `agent "dc1-1" { policy = "write" }`
	writeNode = `node "dc1-1" { policy = "write" }`
	opRead    = `operator = "read"`
	opWrite   = `operator = "write"`
)

// guards are all routes that need permission, but those of access control.
func guards() []guard {
	var all []guard
	for _, some := range [][]guard{
		keyGuards(), catalogGuards(), healthGuards(), agentGuards(), configGuards(), intentionGuards(), queryGuards(), operatorGuards(),
	} {
		all = append(all, some...)
	}
	return all
}

func keyGuards() []guard {
	const session = `session "n1" { policy = "write" }`
	return []guard{
		{route: "GET /v1/kv/{key}", call: "/v1/kv/k/one", rules: `key "k/one" { policy = "read" }`},
		{route: "GET /v1/kv/{key}", call: "/v1/kv/k/?keys", rules: `key_prefix "k/" { policy = "read" }`, sees: "k/one"},
		{route: "GET /v1/kv/{key}", call: "/v1/kv/k/?recurse", rules: `key_prefix "k/" { policy = "read" }`, sees: "k/one"},
		{route: "PUT /v1/kv/{key}", call: "/v1/kv/k/one", rules: `key "k/one" { policy = "write" }`},
		{route: "DELETE /v1/kv/{key}", call: "/v1/kv/k/one", rules: `key "k/one" { policy = "write" }`},
		{route: "DELETE /v1/kv/{key}", call: "/v1/kv/k/?recurse", rules: `key_prefix "k/" { policy = "write" }`},
		{route: "GET /v1/session/list", call: "/v1/session/list", rules: `session "n1" { policy = "read" }`, sees: "$session"},
		{route: "GET /v1/session/node/{node}", call: "/v1/session/node/n1", rules: `session "n1" { policy = "read" }`, sees: "$session"},
		{route: "GET /v1/session/info/{id}", call: "/v1/session/info/$session", rules: `session "n1" { policy = "read" }`, sees: "$session"},
		{route: "PUT /v1/session/create", call: "/v1/session/create", body: `{"Node":"n1","Checks":[]}`, rules: session},
		{route: "PUT /v1/session/renew/{id}", call: "/v1/session/renew/$session", rules: session},
		{route: "PUT /v1/session/destroy/{id}", call: "/v1/session/destroy/$session", rules: session},
		{route: "GET /v1/event/list", call: "/v1/event/list", rules: `event "e" { policy = "read" }`, sees: `"Name":"e"`},
		{route: "PUT /v1/event/fire/{name}", call: "/v1/event/fire/e", rules: `event "e" { policy = "write" }`},
		{route: "GET /v1/snapshot", call: "/v1/snapshot", rules: `acl = "write"`},
		{route: "PUT /v1/snapshot", call: "/v1/snapshot", rules: `acl = "write"`},
	}
}

func catalogGuards() []guard {
	return []guard{
		{route: "GET /v1/catalog/nodes", call: "/v1/catalog/nodes", rules: readN1, sees: `"n1"`},
		{route: "GET /v1/catalog/services", call: "/v1/catalog/services", rules: readBoth, sees: `"web"`},
		{route: "GET /v1/catalog/service/{service}", call: "/v1/catalog/service/web", rules: readBoth, sees: `"web"`},
		{route: "GET /v1/catalog/connect/{service}", call: "/v1/catalog/connect/web", rules: readBoth, sees: `"web"`},
		{route: "GET /v1/catalog/node/{node}", call: "/v1/catalog/node/n1", rules: readN1, sees: `"n1"`},
		{route: "GET /v1/catalog/node-services/{node}", call: "/v1/catalog/node-services/n1", rules: readN1, sees: `"n1"`},
		{route: "GET /v1/catalog/gateway-services/{gateway}", call: "/v1/catalog/gateway-services/gateway", rules: `service "gateway" { policy = "read" }`},
		{route: "PUT /v1/catalog/register", call: "/v1/catalog/register", body: `{"Node":"n1","Address":"10.0.0.9"}`, rules: writeN1},
		{route: "PUT /v1/catalog/register", call: "/v1/catalog/register",
			body: `{"Node":"n1","Address":"10.0.0.1","Service":{"Service":"web"}}`, rules: `service "web" { policy = "write" }`},
		{route: "PUT /v1/catalog/register", call: "/v1/catalog/register",
			body: `{"Node":"n1","Address":"10.0.0.1","Check":{"Name":"c"}}`, rules: writeN1},
		{route: "PUT /v1/catalog/deregister", call: "/v1/catalog/deregister", body: `{"Node":"n1"}`, rules: writeN1},
		{route: "PUT /v1/catalog/deregister", call: "/v1/catalog/deregister", body: `{"Node":"n1","ServiceID":"web"}`, rules: `service "web" { policy = "write" }`},
		{route: "PUT /v1/catalog/deregister", call: "/v1/catalog/deregister", body: `{"Node":"n1","CheckID":"node"}`, rules: writeN1},
		{route: "GET /v1/coordinate/nodes", call: "/v1/coordinate/nodes", rules: readN1, sees: `"n1"`},
		{route: "GET /v1/coordinate/node/{node}", call: "/v1/coordinate/node/n1", rules: readN1},
		{route: "PUT /v1/coordinate/update", call: "/v1/coordinate/update", body: `{"Node":"n1"}`, rules: writeN1},
		{route: "PUT /v1/internal/service-virtual-ip", call: "/v1/internal/service-virtual-ip", body: `{"Service":"web","ManualVIPs":["1.2.3.4"]}`, rules: `mesh = "write"`},
		{route: "GET /v1/exported-services", call: "/v1/exported-services", rules: `mesh = "read"`},
		{route: "GET /v1/imported-services", call: "/v1/imported-services", rules: `mesh = "read"`},
		{route: "GET /v1/peerings", call: "/v1/peerings", rules: `peering = "read"`},
		{route: "GET /v1/peering/{name}", call: "/v1/peering/x", rules: `peering = "read"`},
		{route: "DELETE /v1/peering/{name}", call: "/v1/peering/x", rules: `peering = "write"`},
	}
}

func healthGuards() []guard {
	return []guard{
		{route: "GET /v1/health/node/{node}", call: "/v1/health/node/n1", rules: readN1, sees: `"node"`},
		{route: "GET /v1/health/checks/{service}", call: "/v1/health/checks/web", rules: readBoth, sees: `"service"`},
		{route: "GET /v1/health/state/{state}", call: "/v1/health/state/any", rules: readN1, sees: `"node"`},
		{route: "GET /v1/health/service/{service}", call: "/v1/health/service/web", rules: readBoth, sees: `"web"`},
		{route: "GET /v1/health/connect/{service}", call: "/v1/health/connect/web", rules: readBoth},
		{route: "GET /v1/health/ingress/{service}", call: "/v1/health/ingress/web", rules: readBoth},
	}
}

func agentGuards() []guard {
	return []guard{
		{route: "GET /v1/agent/self", call: "/v1/agent/self", rules: agentRead},
		{route: "GET /v1/agent/members", call: "/v1/agent/members", rules: `node "dc1-1" { policy = "read" }`, sees: "dc1-1"},
		{route: "GET /v1/agent/metrics", call: "/v1/agent/metrics", rules: agentRead},
		{route: "GET /v1/agent/metrics/stream", call: "/v1/agent/metrics/stream", rules: agentRead, lasts: true},
		{route: "GET /v1/agent/monitor", call: "/v1/agent/monitor", rules: agentRead, lasts: true},
		{route: "GET /v1/agent/host", call: "/v1/agent/host", rules: opRead},
		{route: "PUT /v1/agent/reload", call: "/v1/agent/reload", rules: agentAll},
		{route: "PUT /v1/agent/leave", call: "/v1/agent/leave", rules: agentAll, lasts: true},
		{route: "PUT /v1/agent/join/{address}", call: "/v1/agent/join/127.0.0.1:1", rules: agentAll},
		{route: "PUT /v1/agent/force-leave/{node}", call: "/v1/agent/force-leave/x", rules: opWrite},
		{route: "PUT /v1/agent/token/{token}", call: "/v1/agent/token/replication", body: `{"Token":""}`, rules: agentAll},
		{route: "PUT /v1/agent/maintenance", call: "/v1/agent/maintenance?enable=true", rules: writeNode},
		{route: "GET /v1/agent/services", call: "/v1/agent/services", rules: readLoc, sees: `"loc"`},
		{route: "GET /v1/agent/service/{service}", call: "/v1/agent/service/loc", rules: readLoc},
		{route: "GET /v1/agent/health/service/id/{service}", call: "/v1/agent/health/service/id/loc", rules: readLoc},
		{route: "GET /v1/agent/health/service/name/{service}", call: "/v1/agent/health/service/name/loc", rules: readLoc},
		{route: "PUT /v1/agent/service/register", call: "/v1/agent/service/register", body: `{"Name":"loc"}`, rules: writeLoc},
		{route: "PUT /v1/agent/service/deregister/{service}", call: "/v1/agent/service/deregister/loc", rules: writeLoc},
		{route: "PUT /v1/agent/service/maintenance/{service}", call: "/v1/agent/service/maintenance/loc?enable=true", rules: writeLoc},
		{route: "GET /v1/agent/checks", call: "/v1/agent/checks", rules: readLoc, sees: `"of-loc"`},
		{route: "PUT /v1/agent/check/register", call: "/v1/agent/check/register", body: `{"Name":"c","TTL":"1m"}`, rules: writeNode},
		{route: "PUT /v1/agent/check/register", call: "/v1/agent/check/register", body: `{"Name":"c","TTL":"1m","ServiceID":"loc"}`, rules: writeLoc},
		{route: "PUT /v1/agent/check/deregister/{check}", call: "/v1/agent/check/deregister/of-loc", rules: writeLoc},
		{route: "PUT /v1/agent/check/pass/{check}", call: "/v1/agent/check/pass/of-loc", rules: writeLoc},
		{route: "PUT /v1/agent/check/warn/{check}", call: "/v1/agent/check/warn/of-loc", rules: writeLoc},
		{route: "PUT /v1/agent/check/fail/{check}", call: "/v1/agent/check/fail/of-node", rules: writeNode},
		{route: "PUT /v1/agent/check/update/{check}", call: "/v1/agent/check/update/of-loc", body: `{"Status":"passing"}`, rules: writeLoc},
		{route: "GET /v1/agent/connect/ca/leaf/{service}", call: "/v1/agent/connect/ca/leaf/loc", rules: writeLoc},
		{route: "POST /v1/agent/connect/authorize", call: "/v1/agent/connect/authorize",
			body: `{"Target":"loc","ClientCertURI":"spiffe://x.consul/ns/default/dc/dc1/svc/web"}`, rules: writeLoc},
	}
}

func configGuards() []guard {
	put := func(entry, rules string) guard {
		return guard{route: "PUT /v1/config", call: "/v1/config", body: entry, rules: rules}
	}
	get := func(entry, rules string) guard {
		return guard{route: "GET /v1/config/{kind}/{name}", call: "/v1/config/" + entry, rules: rules}
	}
	const writeWeb = `service "web" { policy = "write" }`
	return []guard{
		put(`{"Kind":"service-defaults","Name":"web"}`, writeWeb),
		put(`{"Kind":"service-resolver","Name":"web"}`, writeWeb),
		put(`{"Kind":"service-intentions","Name":"web","Sources":[{"Name":"a","Action":"allow"}]}`, `service "web" { policy = "read" intentions = "write" }`),
		put(`{"Kind":"ingress-gateway","Name":"gateway"}`, `mesh = "write"`),
		put(`{"Kind":"terminating-gateway","Name":"gateway"}`, opWrite),
		put(`{"Kind":"proxy-defaults","Name":"global"}`, `mesh = "write"`),
		put(`{"Kind":"mesh"}`, `mesh = "write"`),
		put(`{"Kind":"exported-services","Name":"default"}`, `mesh = "write"`),
		get("service-defaults/web", readWeb),
		get("service-intentions/web", readWeb),
		get("exported-services/default", `mesh = "read"`),
		{route: "GET /v1/config/{kind}", call: "/v1/config/service-defaults", rules: readWeb, sees: `"web"`},
		{route: "DELETE /v1/config/{kind}/{name}", call: "/v1/config/service-defaults/web", rules: writeWeb},
		{route: "GET /v1/discovery-chain/{service}", call: "/v1/discovery-chain/web", rules: readWeb},
		{route: "POST /v1/discovery-chain/{service}", call: "/v1/discovery-chain/web", rules: readWeb},
		{route: "GET /v1/connect/ca/configuration", call: "/v1/connect/ca/configuration", rules: opWrite},
		{route: "PUT /v1/connect/ca/configuration", call: "/v1/connect/ca/configuration", body: `{}`, rules: opWrite},
	}
}

func intentionGuards() []guard {
	const (
		pair  = "?source=api&destination=web"
		write = `service "web" { policy = "read" intentions = "write" }`
		body  = `{"SourceName":"api","DestinationName":"web","Action":"deny"}`
	)
	return []guard{
		{route: "GET /v1/connect/intentions", call: "/v1/connect/intentions", rules: readWeb, sees: `"web"`},
		{route: "GET /v1/connect/intentions", call: "/v1/connect/intentions", rules: `service "api" { policy = "read" }`, sees: `"web"`},
		{route: "POST /v1/connect/intentions", call: "/v1/connect/intentions", body: body, rules: write},
		{route: "GET /v1/connect/intentions/exact", call: "/v1/connect/intentions/exact" + pair, rules: readWeb},
		{route: "PUT /v1/connect/intentions/exact", call: "/v1/connect/intentions/exact" + pair, body: `{"Action":"deny"}`, rules: write},
		{route: "DELETE /v1/connect/intentions/exact", call: "/v1/connect/intentions/exact" + pair, rules: write},
		{route: "GET /v1/connect/intentions/match", call: "/v1/connect/intentions/match?by=destination&name=web", rules: readWeb},
		{route: "GET /v1/connect/intentions/check", call: "/v1/connect/intentions/check" + pair, rules: readWeb},
		{route: "GET /v1/connect/intentions/{id}", call: "/v1/connect/intentions/$intention", rules: readWeb},
		{route: "PUT /v1/connect/intentions/{id}", call: "/v1/connect/intentions/$intention", body: body, rules: write},
		{route: "DELETE /v1/connect/intentions/{id}", call: "/v1/connect/intentions/$intention", rules: write},
	}
}

func queryGuards() []guard {
	const (
		read  = `query "q" { policy = "read" }`
		write = `query "q" { policy = "write" }`
		body  = `{"Name":"q","Service":{"Service":"web"}}`
	)
	return []guard{
		{route: "GET /v1/query", call: "/v1/query", rules: read, sees: `"q"`},
		{route: "GET /v1/query", call: "/v1/query", rules: `acl = "write"`, sees: `"q"`},
		{route: "POST /v1/query", call: "/v1/query", body: body, rules: write},
		{route: "GET /v1/query/{query}", call: "/v1/query/$query", rules: read},
		{route: "PUT /v1/query/{query}", call: "/v1/query/$query", body: body, rules: write},
		{route: "DELETE /v1/query/{query}", call: "/v1/query/$query", rules: write},
		{route: "GET /v1/query/{query}/execute", call: "/v1/query/q/execute", rules: read + readBoth, sees: "10.0.0.1"},
		{route: "GET /v1/query/{query}/explain", call: "/v1/query/q/explain", rules: read},
	}
}

func operatorGuards() []guard {
	return []guard{
		{route: "GET /v1/operator/raft/configuration", call: "/v1/operator/raft/configuration", rules: opRead},
		{route: "DELETE /v1/operator/raft/peer", call: "/v1/operator/raft/peer?id=x", rules: opWrite},
		{route: "POST /v1/operator/raft/transfer-leader", call: "/v1/operator/raft/transfer-leader", rules: opWrite},
		{route: "GET /v1/operator/autopilot/configuration", call: "/v1/operator/autopilot/configuration", rules: opRead},
		{route: "PUT /v1/operator/autopilot/configuration", call: "/v1/operator/autopilot/configuration", body: `{}`, rules: opWrite},
		{route: "GET /v1/operator/autopilot/health", call: "/v1/operator/autopilot/health", rules: opRead},
		{route: "GET /v1/operator/autopilot/state", call: "/v1/operator/autopilot/state", rules: opRead},
		{route: "GET /v1/operator/usage", call: "/v1/operator/usage", rules: opRead},
		{route: "GET /v1/operator/keyring", call: "/v1/operator/keyring", rules: `keyring = "read"`},
		{route: "POST /v1/operator/keyring", call: "/v1/operator/keyring", body: `{"Key":"` + secondKey + `"}`, rules: `keyring = "write"`},
		{route: "PUT /v1/operator/keyring", call: "/v1/operator/keyring", body: `{"Key":"` + firstKey + `"}`, rules: `keyring = "write"`},
		{route: "DELETE /v1/operator/keyring", call: "/v1/operator/keyring", body: `{"Key":"` + secondKey + `"}`, rules: `keyring = "write"`},
	}
}
