package consul

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// maximumRelayFactor is how many others an agent may be told to answer through.
const maximumRelayFactor = 5

// gossipPool is agents that speak to each other: those of a datacenter, or the
// servers of all of them.
type gossipPool struct {
	name       string // as errors have it
	wan        bool
	datacenter string
	nodes      []string
}

// gossipPools are the pool of all servers and those of all datacenters; when
// local, only that of this one.
func (d *datacenter) gossipPools(local bool) []gossipPool {
	if local {
		return []gossipPool{d.lan()}
	}
	pools := []gossipPool{{name: "WAN", wan: true, datacenter: d.name}}
	for _, other := range d.consul.datacenters {
		pools[0].nodes = append(pools[0].nodes, other.server().Node+"."+other.name)
		pools = append(pools, other.lan())
	}
	return pools
}

func (d *datacenter) lan() gossipPool {
	pool := gossipPool{name: d.name + " (LAN)", datacenter: d.name}
	for _, a := range d.agents {
		pool.nodes = append(pool.nodes, a.options.Node)
	}
	return pool
}

func listKeyring(r *request) (any, error) {
	local, err := r.keyringParameters()
	if err != nil {
		return nil, err
	}
	if err := r.need(acl.Read, acl.Keyring, ""); err != nil {
		return nil, err
	}
	pools := r.dc.gossipPools(local)
	keys, err := r.dc.consul.keyring.list()
	if err != nil {
		return nil, poolsError(pools, err, true)
	}
	list := []api.KeyringResponse{}
	for _, pool := range pools {
		ring := api.KeyringResponse{
			WAN:         pool.wan,
			Datacenter:  pool.datacenter,
			Keys:        map[string]int{},
			PrimaryKeys: map[string]int{keys[0]: len(pool.nodes)},
			NumNodes:    len(pool.nodes),
		}
		for _, key := range keys {
			ring.Keys[key] = len(pool.nodes)
		}
		list = append(list, ring)
	}
	return list, nil
}

// changeKeyring makes the handler of a change of the keyring.
func changeKeyring(change func(*keyring, string) error) func(*request) (any, error) {
	return func(r *request) (any, error) {
		if _, err := r.keyringParameters(); err != nil {
			return nil, err
		}
		var body struct{ Key string }
		if err := r.decodeStrictly(&body); err != nil {
			return nil, err
		}
		if err := r.need(acl.Write, acl.Keyring, ""); err != nil {
			return nil, err
		}
		pools := r.dc.gossipPools(false)
		if _, err := base64.StdEncoding.DecodeString(body.Key); err != nil {
			return nil, poolsError(pools, err, false)
		}
		if err := change(r.dc.consul.keyring, body.Key); err != nil {
			return nil, poolsError(pools, err, true)
		}
		return nil, nil
	}
}

// keyringParameters reads what a request says about how it is spread.
func (r *request) keyringParameters() (local bool, err error) {
	if text := r.query.Get("relay-factor"); text != "" {
		factor, err := strconv.Atoi(text)
		if err != nil {
			return false, badRequest("Error parsing relay factor: %v", err)
		}
		if factor < 0 || factor > maximumRelayFactor {
			return false, badRequest("Invalid relay-factor: Relay factor must be in range: [0, %d]", maximumRelayFactor)
		}
	}
	if text := r.query.Get("local-only"); text != "" {
		if local, err = strconv.ParseBool(text); err != nil {
			return false, badRequest("Error parsing local-only: %v", err)
		}
	}
	if local && r.Method != http.MethodGet {
		return false, badRequest("Invalid use of local-only: local-only can only be set for list requests")
	}
	return local, nil
}

// poolsError says that something has failed in all pools: before any agent was
// asked, or as each of them has answered.
func poolsError(pools []gossipPool, cause error, answered bool) error {
	var lines []string
	for _, pool := range pools {
		if !answered {
			lines = append(lines, fmt.Sprintf("%s error: %v", pool.name, cause))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s error: %d/%d nodes reported failure", pool.name, len(pool.nodes), len(pool.nodes)))
		for _, node := range pool.nodes {
			lines = append(lines, fmt.Sprintf("%s: %v", node, cause))
		}
	}
	return errText("%d errors occurred:\n\t* %s\n\n", len(lines), strings.Join(lines, "\n\t* "))
}
