package consul

import (
	"net"
	"net/http"
	"strings"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// lookup is a question for a list of rows of type T about the catalog.
type lookup[T any] struct {
	rows func(*state.View) (rows []T, index uint64)
	// keep chooses among the rows by what the request asks besides its filter,
	// and leaves out what the caller may not see.
	keep func(T) bool
	node func(T) string // that a row is about, for sorting by distance
}

// find answers a lookup: what of the rows the request asks for, the nearest
// first when it says near what.
func find[T any](r *request, l lookup[T]) (any, error) {
	asked, err := filter.New[T](r.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rows, index := l.rows(view)
		kept := make([]T, 0, len(rows))
		for _, row := range rows {
			if l.keep(row) && asked.Keeps(row) {
				kept = append(kept, row)
			}
		}
		if near := r.near(view); near != "" {
			sortByDistance(view.Unwatched(), near, kept, l.node)
		}
		return kept, index, nil
	})
}

// near is the node that the answer's nearest rows are near to; empty when the
// request does not say. The agent that was asked is _agent, and the node that
// has the client's address _ip.
func (r *request) near(view *state.View) string {
	switch near := r.query.Get("near"); near {
	case "_agent":
		return r.agent.options.Node
	case "_ip":
		return nodeAt(view, clientAddress(r.Request))
	default:
		return near
	}
}

// nodeAt finds the node that has an address; empty when none has.
func nodeAt(view *state.View, address string) string {
	for node := range store.All[state.Node](view.Unwatched(), state.TableNodes, "id") {
		if node.Address == address {
			return node.Node
		}
	}
	return ""
}

// clientAddress is the address that a request comes from, or is forwarded for.
func clientAddress(r *http.Request) string {
	if first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ","); first != "" {
		return strings.TrimSpace(first)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a Unix socket
	}
	return host
}

// sight is what of the catalog a caller sees. What it does not see it notes on
// the answer.
type sight struct {
	may      authorizer
	filtered func()
}

func (r *request) sight() (sight, error) {
	c, err := r.identify()
	if err != nil {
		return sight{}, err
	}
	return sight{c.may, r.filtered}, nil
}

func (s sight) node(name string) bool    { return s.sees(acl.Node, name) }
func (s sight) service(name string) bool { return s.sees(acl.Service, name) }

func (s sight) instance(i *state.Service) bool { return s.node(i.Node) && s.service(i.Service) }

// check is seen by those who see the node and, of an instance's, the service.
func (s sight) check(c *state.Check) bool {
	return s.node(c.Node) && (c.ServiceName == "" || s.service(c.ServiceName))
}

func (s sight) sees(resource acl.Resource, name string) bool {
	if s.may.Allows(acl.Read, resource, name) {
		return true
	}
	s.filtered()
	return false
}

// metadata reads the parameter node-meta, which has the form key:value and may
// be given several times.
func (r *request) metadata() map[string]string {
	wanted := map[string]string{}
	for _, pair := range r.query["node-meta"] {
		key, value, _ := strings.Cut(pair, ":")
		wanted[key] = value
	}
	return wanted
}

// hasAll tells whether a node's or service's metadata has all that is wanted.
func hasAll(meta, wanted map[string]string) bool {
	for key, value := range wanted {
		if got, ok := meta[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// hasTags tells whether an instance has all wanted tags, without regard to case.
func hasTags(tags, wanted []string) bool {
	for _, tag := range wanted {
		if !hasTag(tags, tag) {
			return false
		}
	}
	return true
}

func hasTag(tags []string, wanted string) bool {
	for _, tag := range tags {
		if strings.EqualFold(tag, wanted) {
			return true
		}
	}
	return false
}

// communityOnly refuses what only Consul Enterprise has.
func (r *request) communityOnly() error {
	if r.query.Get("ns") != "" {
		return badRequest(`Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature`)
	}
	return r.noPartitions()
}

func (r *request) noPartitions() error {
	if r.query.Get("partition") != "" {
		return badRequest(`Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature`)
	}
	return nil
}

// named is the last part of the path, which has to be there: what is what it names.
func (r *request) named(part, what string) (string, error) {
	if err := r.communityOnly(); err != nil {
		return "", err
	}
	name := r.PathValue(part)
	if name == "" {
		return "", badRequest("Missing %s", what)
	}
	return name, nil
}
