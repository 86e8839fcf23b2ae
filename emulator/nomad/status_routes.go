package nomad

import (
	"net"
	"net/http"
	"strconv"
)

func statusRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/status/leader", (*request).leader),
		faithful(http.MethodGet, "/v1/status/peers", (*request).peers),
		faithful(http.MethodGet, "/v1/regions", (*request).regions),
	}
}

// rpcAddress is the one that the region's server is known by.
func (r *region) rpcAddress() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.options.RPCPort))
}

func (r *request) leader() (any, error) { return r.region.rpcAddress(), nil }

func (r *request) peers() (any, error) { return []string{r.region.rpcAddress()}, nil }

func (r *request) regions() (any, error) { return r.asked.nomad.regionNames(), nil }
