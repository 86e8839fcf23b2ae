package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/hashicorp/consul/api"
)

const (
	consulPoll      = 2 * time.Millisecond // until the first answer
	consulClients   = 16                   // connections that ask again and again
	consulPuts      = 3000                 // of each round
	consulGets      = 20_000
	consulQueries   = 300
	consulInstances = 300 // of the service that is asked for, each on a node of its own
	consulWatchers  = 5000
)

// consulAgent is a program that is a Consul agent, and how it did.
type consulAgent struct {
	name    string
	command []string

	starts                    []float64 // ms
	memory, own               []float64 // MB
	puts, gets, queries, wake []float64 // 1/s, 1/s, 1/s, ms
}

// consulSuite measures the emulator beside the real Consul, each as a process
// of its own in -dev mode, for the same client.
func consulSuite(ctx context.Context, b *bench) ([]Result, error) {
	drydock := filepath.Join(b.root, "bin", "drydock") // as make builds it
	b.say("looking for the real Consul")
	program, err := b.realProgram(ctx, "consul")
	if err != nil {
		return nil, err
	}
	real := &consulAgent{name: "real", command: []string{program, "agent"}}
	ours := &consulAgent{name: "emulated", command: []string{drydock, "consul", "agent"}}
	for round := range b.rounds {
		agents := []*consulAgent{real, ours}
		if round%2 == 1 {
			agents = []*consulAgent{ours, real}
		}
		for _, agent := range agents {
			if err := agent.round(ctx); err != nil {
				return nil, fmt.Errorf("the %s Consul: %w", agent.name, err)
			}
			b.say("round %d of %d: %-8s %5.0f ms to start, %3.0f MB, %6.0f puts/s, %6.0f gets/s, %5.0f queries/s, %5.0f ms to wake all", round+1, b.rounds, agent.name,
				agent.starts[round], agent.memory[round], agent.puts[round], agent.gets[round], agent.queries[round], agent.wake[round])
		}
	}
	return consulResults(real, ours), nil
}

func consulResults(real, ours *consulAgent) []Result {
	results := []Result{
		result("real: start to first answer", "ms", real.starts),
		result("emulated: start to first answer", "ms", ours.starts).below(50),
		result("real: memory when idle", "MB", real.memory),
		result("emulated: memory when idle", "MB", ours.memory).below(40),
		result("real: memory when idle, without the program's pages", "MB", real.own),
		result("emulated: memory when idle, without the program's pages", "MB", ours.own).against("real", ours.own, real.own).below(1),
	}
	for _, row := range []struct {
		name       string
		real, ours []float64
	}{
		{fmt.Sprintf("key-value puts, %d clients", consulClients), real.puts, ours.puts},
		{fmt.Sprintf("key-value gets, %d clients", consulClients), real.gets, ours.gets},
		{fmt.Sprintf("health of a service with %d instances", consulInstances), real.queries, ours.queries},
	} {
		results = append(results,
			result("real: "+row.name, "requests/s", row.real),
			result("emulated: "+row.name, "requests/s", row.ours).against("real", row.ours, row.real).atLeast(1))
	}
	name := fmt.Sprintf("one change wakes %d watchers, the last after", consulWatchers)
	return append(results,
		result("real: "+name, "ms", real.wake),
		result("emulated: "+name, "ms", ours.wake).against("real", ours.wake, real.wake).below(1))
}

// round starts the agent, measures everything once, and stops it.
func (a *consulAgent) round(ctx context.Context) (err error) {
	ports, err := consulPorts()
	if err != nil {
		return err
	}
	// The real one gives a client 200 connections at most unless it is told otherwise.
	args := append(a.command[1:len(a.command):len(a.command)], "-dev", "-node=bench", "-log-level=warn", "-hcl=limits { http_max_conns_per_client = -1 }")
	began := time.Now()
	running, err := startServer(ctx, nil, nil, a.command[0], append(args, ports.flags...)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	if err := running.awaitEvery(ctx, consulPoll, ports.hasLeader); err != nil {
		return err
	}
	a.starts = append(a.starts, time.Since(began).Seconds()*1000)
	pid := running.cmd.Process.Pid
	if err := untilIdle(ctx, pid); err != nil {
		return err
	}
	a.memory = append(a.memory, residentOf(pid))
	a.own = append(a.own, ownOf(pid))
	return a.load(ctx, consulLoad{address: ports.http, pid: pid})
}

// load measures what the agent serves.
func (a *consulAgent) load(ctx context.Context, l consulLoad) error {
	client, err := api.NewClient(&api.Config{Address: l.address})
	if err != nil {
		return err
	}
	if err := registerInstances(ctx, client); err != nil {
		return err
	}
	for _, measure := range []struct {
		into  *[]float64
		count int
		path  func(int) string
		put   bool
	}{
		{&a.puts, consulPuts, func(i int) string { return fmt.Sprintf("/v1/kv/bench/%d", i%1000) }, true},
		{&a.gets, consulGets, func(i int) string { return fmt.Sprintf("/v1/kv/bench/%d", i%1000) }, false},
		{&a.queries, consulQueries, func(int) string { return "/v1/health/service/web?passing=true" }, false},
	} {
		perSecond, err := l.repeat(ctx, measure.count, measure.path, measure.put)
		if err != nil {
			return err
		}
		*measure.into = append(*measure.into, perSecond)
	}
	woken, err := l.wake(ctx, client)
	a.wake = append(a.wake, woken.Seconds()*1000)
	return err
}

// registerInstances fills the catalog.
func registerInstances(ctx context.Context, client *api.Client) error {
	for i := range consulInstances {
		node := fmt.Sprintf("node-%d", i)
		_, err := client.Catalog().Register(&api.CatalogRegistration{
			Node: node, Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250),
			Service: &api.AgentService{ID: "web-1", Service: "web", Port: 8080, Tags: []string{"v1", "primary"}, Meta: map[string]string{"zone": "a"}},
			Checks:  api.HealthChecks{{Node: node, CheckID: "web-1-alive", Name: "alive", Status: api.HealthPassing, ServiceID: "web-1"}},
		}, (&api.WriteOptions{}).WithContext(ctx))
		if err != nil {
			return fmt.Errorf("register an instance: %w", err)
		}
	}
	return nil
}

// consulAddresses are where an agent is told to listen.
type consulAddresses struct {
	http  string
	flags []string
}

// consulPorts finds ports that nobody has; the real one cannot pick its own.
func consulPorts() (consulAddresses, error) {
	a := consulAddresses{flags: []string{"-dns-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1"}}
	for _, name := range []string{"http", "server", "serf-lan", "serf-wan"} {
		port, err := freePort()
		if err != nil {
			return a, err
		}
		a.flags = append(a.flags, fmt.Sprintf("-%s-port=%s", name, port))
		if name == "http" {
			a.http = net.JoinHostPort("127.0.0.1", port)
		}
	}
	return a, nil
}

// hasLeader reports whether the agent answers and can write.
func (a consulAddresses) hasLeader() bool {
	answer, err := http.Get("http://" + a.http + "/v1/status/leader")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var leader [3]byte // "" and a line's end where there is none
	n, _ := answer.Body.Read(leader[:])
	return answer.StatusCode == http.StatusOK && n == len(leader) && leader[1] != '"'
}
