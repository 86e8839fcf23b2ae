package consul

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

// prepare stores a query in dc1 and returns its ID.
func prepare(t *testing.T, c *Consul, body string) string {
	t.Helper()
	status, _, text := ask(t, c, http.MethodPost, "/v1/query", strings.NewReader(body))
	require.Equal(t, http.StatusOK, status, text)
	var made struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	return made.ID
}

// foundBy are the IDs of the instances that a query finds, sorted.
func foundBy(t *testing.T, c *Consul, query string) []string {
	t.Helper()
	ids := []string{}
	for _, node := range get[api.PreparedQueryExecuteResponse](t, c, "/v1/query/"+query).Nodes {
		ids = append(ids, node.Service.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestTheLifeOfAQuery(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	queries := client(t, c).PreparedQuery()
	q := &api.PreparedQueryDefinition{Name: "shop", Service: api.ServiceQuery{Service: "web", ServiceMeta: map[string]string{"version": "1"}}}
	var err error
	q.ID, _, err = queries.Create(q, nil)
	require.NoError(t, err)
	read, _, err := queries.Get(q.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.PreparedQueryDefinition{q}, read)
	list, meta, err := queries.List(nil)
	require.NoError(t, err)
	assert.Equal(t, read, list)
	assert.NotZero(t, meta.LastIndex)

	q.Name, q.Service.ServiceMeta, q.DNS.TTL = "other", nil, "10s"
	_, err = queries.Update(q, nil)
	require.NoError(t, err)
	result, _, err := queries.Execute("OTHER", nil)
	require.NoError(t, err)
	assert.Equal(t, "dc1", result.Datacenter)
	assert.Equal(t, "10s", result.DNS.TTL)
	assert.Len(t, result.Nodes, 2)
	_, _, err = queries.Execute("shop", nil)
	assert.ErrorContains(t, err, "404")

	_, err = queries.Delete(q.ID, nil)
	require.NoError(t, err)
	list, _, err = queries.List(nil)
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestAQuerySaysItInConsulsShape(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	id := prepare(t, c, `{"Name":"q","Service":{"Service":"web"}}`)
	query := `{"ID":"` + id + `","Name":"q","Session":"","Token":"","Template":{"Type":"","Regexp":"","RemoveEmptyTags":false},` +
		`"Service":{"Service":"web","SamenessGroup":"","Failover":{"NearestN":0,"Datacenters":null,"Targets":null},"OnlyPassing":false,` +
		`"IgnoreCheckIDs":null,"Near":"","Tags":null,"NodeMeta":null,"ServiceMeta":null,"Connect":false,"Peer":""},"DNS":{"TTL":""},"CreateIndex":0,"ModifyIndex":0}`
	const meta = `"Index":1,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":"leader","NotModified":false,"Backend":0,"ResultsFilteredByACLs":false}`
	for path, want := range map[string]string{
		"":           "[" + query + "]",
		"/" + id:     "[" + query + "]",
		"/q/explain": `{"Query":` + query + "," + meta,
		"/q/execute": `{"Service":"web","Nodes":[],"DNS":{"TTL":""},"Datacenter":"dc1","PeerName":"","Failovers":0,` + meta,
	} {
		_, _, body := ask(t, c, http.MethodGet, "/v1/query"+path, nil)
		assert.Equal(t, want, withoutIndexes(body), path)
	}
}

func TestWhatQueriesRefuse(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	prepare(t, c, `{"Name":"taken","Service":{"Service":"web"}}`)
	prepare(t, c, `{"Template":{"Type":"name_prefix_match"},"Service":{"Service":"${name.full}"}}`)
	const none = "11111111-1111-1111-1111-111111111111"
	const bad = "500 Invalid prepared query: "
	const failed = "500 raft apply failed: "
	template := func(service string) string {
		return `{"Name":"t","Template":{"Type":"name_prefix_match"},"Service":` + service + `}`
	}
	for _, test := range []struct{ method, path, body, want string }{
		{"POST", "", ``, "400 Request decode failed: EOF"},
		{"POST", "", `{"Bogus":1}`, `400 Request decode failed: json: unknown field "Bogus"`},
		{"POST", "", `{"ID":"x"}`, "500 ID must be empty when creating a new prepared query"},
		{"POST", "", `{}`, bad + "Must be bound to a session"},
		{"POST", "", `{"Name":"x"}`, bad + "Must provide a Service name to query"},
		{"POST", "", `{"Name":"x","Token":"<hidden>"}`, bad + "Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted"},
		{"POST", "", `{"Name":"x","Service":{"Service":"w","SamenessGroup":"g"}}`, bad + "sameness-groups are an enterprise-only feature"},
		{"POST", "", `{"Name":"x","Service":{"Service":"w","Failover":{"NearestN":-1}}}`, bad + "Bad NearestN '-1', must be >= 0"},
		{"POST", "", `{"Name":"x","Service":{"Service":"w","Failover":{"NearestN":1,"Targets":[{"Datacenter":"d"}]}}}`, bad + "Targets cannot be populated with NearestN or Datacenters"},
		{"POST", "", `{"Name":"x","Service":{"Service":"w","NodeMeta":{"a b":"c"}}}`, bad + "Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters"},
		{"POST", "", `{"Name":"x","Service":{"Service":"w"},"DNS":{"TTL":"soon"}}`, bad + `Bad DNS TTL 'soon': time: invalid duration "soon"`},
		{"POST", "", `{"Name":"x","Service":{"Service":"w"},"DNS":{"TTL":"-1s"}}`, bad + "DNS TTL '-1000000000', must be >=0"},
		{"POST", "", `{"Name":"TAKEN","Service":{"Service":"w"}}`, failed + "name 'TAKEN' aliases an existing query name"},
		{"POST", "", `{"Template":{"Type":"name_prefix_match"},"Service":{"Service":"w"}}`, failed + "a query template with an empty name already exists"},
		{"POST", "", `{"Name":"x","Session":"none","Service":{"Service":"w"}}`, failed + `invalid session "none"`},
		{"POST", "", `{"Name":"x","Template":{"Type":"odd"},"Service":{"Service":"w"}}`, failed + "failed compiling template: Bad Template.Type 'odd'"},
		{"POST", "", `{"Name":"x","Template":{"Type":"name_prefix_match","Regexp":"("},"Service":{"Service":"w"}}`,
			failed + "failed compiling template: Bad Regexp: error parsing regexp: missing closing ): `(`"},
		{"POST", "", template(`{"Service":"${bad}"}`), failed + "failed compiling template: Bad evaluation for '${bad}' in Service.Service: 1:3: unknown variable accessed: bad"},
		{"POST", "", template(`{"Service":"w","Tags":["a","${bad}"]}`), failed + "failed compiling template: Bad evaluation for '${bad}' in Service.Tags[1]: 1:3: unknown variable accessed: bad"},
		{"POST", "", template(`{"Service":"w","NodeMeta":{"k":"${bad}"}}`), failed + "failed compiling template: Bad evaluation for '${bad}' in Service.NodeMeta[k]: 1:3: unknown variable accessed: bad"},
		{"POST", "", template(`{"Service":"w","Failover":{"Targets":[{"Datacenter":"${bad}"}]}}`),
			failed + "failed compiling template: Bad evaluation for '${bad}' in Service.Failover.Targets[0].Datacenter: 1:3: unknown variable accessed: bad"},
		{"POST", "", template(`{"Service":"${name.suffix"}`), failed + `failed compiling template: Bad format '${name.suffix' in Service.Service: parse error at 1:14: expected "}" but found end of string`},
		{"POST", "", template(`{"Service":"${match()}"}`), failed + "failed compiling template: Bad evaluation for '${match()}' in Service.Service: 1:3: match: expected 1 arguments, got 0"},
		{"GET", "/short", ``, "500 failed prepared query lookup: index error: UUID must be 36 characters"},
		{"GET", "/" + none, ``, "404 Query not found"},
		{"PUT", "/short", `{}`, "500 Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters"},
		{"PUT", "/" + none, `{}`, "500 Cannot modify non-existent prepared query: '" + none + "'"},
		{"DELETE", "/" + none, ``, "500 Cannot modify non-existent prepared query: '" + none + "'"},
		{"GET", "/taken/execute?limit=x", ``, `500 Bad limit: strconv.Atoi: parsing "x": invalid syntax`},
		{"GET", "/taken/execute?connect=x", ``, `500 Error parsing 'connect' value: strconv.ParseBool: parsing "x": invalid syntax`},
		{"GET", "/taken/execute?stale&consistent", ``, "400 Cannot specify ?stale with ?consistent, conflicting semantics."},
		{"POST", "/taken/execute", ``, "405 method POST not allowed"},
	} {
		status, _, text := ask(t, c, test.method, "/v1/query"+test.path, strings.NewReader(test.body))
		assert.Equal(t, test.want, fmt.Sprint(status, " ", text), test)
	}
	assert.Len(t, get[[]any](t, c, "/v1/query"), 2, "nothing of what was refused is there")
}

func TestWhatAQueryFinds(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	register(t, c, `{"Node":"a","SkipNodeUpdate":true,"Service":{"ID":"proxy","Service":"web-proxy","Kind":"connect-proxy","Port":1,"Proxy":{"DestinationServiceName":"web"}}}`)
	for service, want := range map[string]string{
		`{"Service":"web"}`:                               "web1 web2",
		`{"Service":"web","OnlyPassing":true}`:            "web1",
		`{"Service":"web","IgnoreCheckIDs":["alive"]}`:    "web1 web2 web3",
		`{"Service":"web","Tags":["V2"]}`:                 "web2",
		`{"Service":"web","Tags":["!v2"]}`:                "web1",
		`{"Service":"web","Tags":["v2","!blue"]}`:         "",
		`{"Service":"web","Tags":[""]}`:                   "",
		`{"Service":"web","NodeMeta":{"zone":"one"}}`:     "web1 web2",
		`{"Service":"web","NodeMeta":{"zone":"two"}}`:     "",
		`{"Service":"web","ServiceMeta":{"version":"2"}}`: "web2",
		`{"Service":"web","Connect":true}`:                "proxy",
		`{"Service":"none"}`:                              "",
	} {
		id := prepare(t, c, fmt.Sprintf(`{"Name":%q,"Service":%s}`, service, service))
		assert.Equal(t, strings.Fields(want), foundBy(t, c, id+"/execute"), service)
	}
	id := prepare(t, c, `{"Name":"plain","Service":{"Service":"web","IgnoreCheckIDs":["alive"]}}`)
	assert.Equal(t, []string{"proxy"}, foundBy(t, c, id+"/execute?connect=true"))
	assert.Len(t, foundBy(t, c, id+"/execute?limit=2"), 2)
	assert.Equal(t, []string{"web3"}, foundBy(t, c, id+"/execute?near=b&limit=1"))
	id = prepare(t, c, `{"Name":"near","Service":{"Service":"web","IgnoreCheckIDs":["alive"],"Near":"b"}}`)
	assert.Equal(t, []string{"web3"}, foundBy(t, c, id+"/execute?limit=1"))
}

func TestAQueryFailsOver(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}, {Name: "dc3"}}})
	register(t, c, `{"Datacenter":"dc3","Node":"x","Address":"10.0.0.1","Service":{"Service":"far"}}`)
	for i, test := range []struct {
		failover   string
		datacenter string
		failovers  int
		found      int
	}{
		{`{}`, "dc1", 0, 0},
		{`{"NearestN":1}`, "dc2", 1, 0},
		{`{"NearestN":5}`, "dc3", 2, 1},
		{`{"Datacenters":["dc3"]}`, "dc3", 1, 1},
		{`{"NearestN":1,"Datacenters":["dc2","dc1","none","dc3"]}`, "dc3", 2, 1},
		{`{"Targets":[{"Datacenter":"none"},{"Datacenter":"dc1"},{"Datacenter":"dc3"}]}`, "dc3", 1, 1},
		{`{"Targets":[{"Peer":"p"},{"Datacenter":"dc3"}]}`, "dc3", 2, 1},
		{`{"Targets":[{"Peer":"p"}]}`, "", 1, 0},
	} {
		id := prepare(t, c, fmt.Sprintf(`{"Name":"q%d","Service":{"Service":"far","Failover":%s}}`, i, test.failover))
		result := get[api.PreparedQueryExecuteResponse](t, c, "/v1/query/"+id+"/execute")
		assert.Equal(t, test.datacenter, result.Datacenter, test)
		assert.Equal(t, test.failovers, result.Failovers, test)
		assert.Len(t, result.Nodes, test.found, test)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	prepare(t, c, `{"Name":"","Template":{"Type":"name_prefix_match"},"Service":{"Service":"${name.full}"}}`)
	prepare(t, c, `{"Name":"geo-","Template":{"Type":"name_prefix_match"},"Service":{"Service":"${name.suffix}"}}`)
	prepare(t, c, `{"Name":"geo-db-","Template":{"Type":"name_prefix_match","Regexp":"^geo-db-(.*?)-([^\\-]+?)$","RemoveEmptyTags":true},
		"Service":{"Service":"${match(1)}","Tags":["${match(2)}","${match(9)}","${agent.segment}","${match(-1)}","${name.prefix}"],
		"Failover":{"Datacenters":["${match(2)}"]},"NodeMeta":{"k":"${name.full}"},"Near":"${1+1}"}}`)
	explain := func(name string) *state.Query {
		return get[struct{ Query *state.Query }](t, c, "/v1/query/"+name+"/explain").Query
	}
	assert.Equal(t, "web", explain("geo-web").Service.Service)
	assert.Equal(t, "else", explain("else").Service.Service)
	longest := explain("geo-db-customer-primary")
	assert.Equal(t, "geo-db-", longest.Name)
	assert.Equal(t, state.ServiceQuery{
		Service: "customer", Tags: []string{"primary", "geo-db-"}, Failover: state.QueryFailover{Datacenters: []string{"primary"}},
		NodeMeta: map[string]string{"k": "geo-db-customer-primary"}, Near: "2",
	}, longest.Service)
	assert.Empty(t, explain("geo-db-nothing").Service.Service, "the pattern does not match")
	assert.Equal(t, "GEO-web", explain("GEO-web").Service.Service, "the prefix in another case is no prefix to take off")
	assert.Equal(t, []string{"web1", "web2"}, foundBy(t, c, "geo-web/execute"))
}

func TestAQueryEndsWithItsSession(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	register(t, c, `{"Node":"a","Address":"10.0.0.1"}`)
	status, _, text := ask(t, c, http.MethodPut, "/v1/session/create", strings.NewReader(`{"Node":"a","NodeChecks":[]}`))
	require.Equal(t, http.StatusOK, status, text)
	var session struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(text), &session))
	id := prepare(t, c, `{"Session":"`+session.ID+`","Service":{"Service":"web"}}`)
	assert.Len(t, get[[]any](t, c, "/v1/query/"+id), 1)
	status, _, _ = ask(t, c, http.MethodPut, "/v1/session/destroy/"+session.ID, nil)
	require.Equal(t, http.StatusOK, status)
	status, _, _ = ask(t, c, http.MethodGet, "/v1/query/"+id, nil)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestACachedExecutionIsAsItWas(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	shop(t, c)
	id := prepare(t, c, `{"Name":"q","Service":{"Service":"web"}}`)
	assert.Len(t, foundBy(t, c, id+"/execute?cached"), 2)
	deregister(t, c, `{"Node":"a","ServiceID":"web1"}`)
	assert.Len(t, foundBy(t, c, id+"/execute?cached"), 2)
	assert.Len(t, foundBy(t, c, id+"/execute"), 1)
}

func FuzzTemplates(f *testing.F) {
	for _, seed := range []string{"${name.full}", "${match(1)}x$${", "${", "${1/0}", "${\"${name.prefix}\"}", "${match(match(1))}"} {
		f.Add(seed, "^a(.*)$", "abc")
	}
	f.Fuzz(func(t *testing.T, text, pattern, name string) {
		q := &state.Query{Name: "a", Template: state.QueryTemplate{Type: namePrefixMatch, Regexp: pattern}, Service: state.ServiceQuery{Service: text}}
		if rendered, err := renderQuery(q, name); err == nil {
			assert.Equal(t, text, q.Service.Service, "the stored query stays as it is")
			assert.NotSame(t, q, rendered)
		}
	})
}
