package client

import (
	"fmt"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/mock"
)

// BenchmarkAllocations runs 10,000 allocations of mock_driver on ten nodes.
func BenchmarkAllocations(b *testing.B) {
	const nodes, each = 10, 1000
	job := taskJob(b, "service", `task "t" {
		driver = "mock_driver"
		config { run_for = "1h" }
	}`)
	for b.Loop() {
		b.StopTimer()
		servers := make([]*fakeServer, nodes)
		clients := make([]*Client, nodes)
		for i := range nodes {
			servers[i] = newFakeServer()
			c, err := Start(b.Context(), Options{
				Node: &api.Node{ID: testNodeID, Name: fmt.Sprint("node-", i), Datacenter: "dc1"},
				Dir:  b.TempDir(), Server: servers[i], Drivers: []driver.Driver{mock.Driver{}},
			})
			require.NoError(b, err)
			clients[i] = c
		}
		b.StartTimer()
		ids := make([][]string, nodes)
		for i, s := range servers {
			for range each {
				ids[i] = append(ids[i], s.place(job))
			}
		}
		for i, s := range servers {
			s.awaitAll(ids[i], "running")
		}
		b.StopTimer()
		for _, c := range clients {
			require.NoError(b, c.Close())
		}
		b.StartTimer()
	}
}
