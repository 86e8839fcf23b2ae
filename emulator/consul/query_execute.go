package consul

import (
	"strconv"

	"github.com/drydock/drydock/emulator/consul/state"
)

// queryMeta is what the answers about a query say besides it.
type queryMeta struct {
	Index                 uint64
	LastContact           int
	KnownLeader           bool
	ConsistencyLevel      string
	NotModified           bool
	Backend               int
	ResultsFilteredByACLs bool
}

// queryAnswer is the answer of executing a query.
type queryAnswer struct {
	Service    string
	Nodes      []*entry
	DNS        state.QueryDNS
	Datacenter string // that the instances are in
	PeerName   string // of the cluster that they are in, were there others
	Failovers  int    // how many other places were looked in
	queryMeta
}

type explainAnswer struct {
	Query *state.Query
	queryMeta
}

func executeQuery(r *request) (any, error) {
	if err := r.consistency(); err != nil {
		return nil, err
	}
	r.setIndex(1)
	return r.cached(r.executed)
}

func (r *request) executed() (any, error) {
	e := execution{near: r.near}
	var err error
	if e.connect, err = r.connect(); err != nil {
		return nil, err
	}
	if text := r.query.Get("limit"); text != "" {
		if e.limit, err = strconv.Atoi(text); err != nil {
			return nil, errText("Bad limit: %v", err)
		}
	}
	if e.query, err = r.dc.prepared(r.PathValue("query")); err != nil {
		return nil, err
	}
	if e.sees, err = r.sightOf(e.query.Token); err != nil {
		return nil, err
	}
	answer := r.dc.execute(e, r.agent.options.Node)
	answer.queryMeta = r.queryMeta()
	return answer, nil
}

func explainQuery(r *request) (any, error) {
	q, err := r.dc.prepared(r.PathValue("query"))
	if err != nil {
		return nil, err
	}
	if err := r.needToReadQuery(q); err != nil {
		return nil, err
	}
	if err := r.consistency(); err != nil {
		return nil, err
	}
	r.setIndex(1)
	return explainAnswer{r.redacted(q), r.queryMeta()}, nil
}

func (r *request) queryMeta() queryMeta {
	level := "leader"
	if r.has("stale") {
		level = "stale"
	}
	filtered := r.header.Get("X-Consul-Results-Filtered-By-Acls") != ""
	return queryMeta{Index: 1, KnownLeader: true, ConsistencyLevel: level, ResultsFilteredByACLs: filtered}
}

// connect reads the parameter of that name.
func (r *request) connect() (bool, error) {
	text := r.query.Get("connect")
	if text == "" {
		return false, nil
	}
	connect, err := strconv.ParseBool(text)
	if err != nil {
		return false, errText("Error parsing 'connect' value: %v", err)
	}
	return connect, nil
}

// sightOf is what the owner of a token sees; without one, what the caller does.
func (r *request) sightOf(token string) (sight, error) {
	if token == "" {
		return r.sight()
	}
	c, err := r.dc.resolve(token)
	if err != nil {
		return sight{}, err
	}
	asOwner := *r
	asOwner.caller = c
	return asOwner.sight()
}
