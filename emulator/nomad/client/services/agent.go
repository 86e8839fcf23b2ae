package services

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	consul "github.com/hashicorp/consul/api"
)

const (
	// syncInterval is the time between two comparisons with what Consul has.
	syncInterval = 30 * time.Second
	// retryPause is the time before what failed is tried again.
	retryPause = time.Second
	// idleTimeout is how long an unused connection to Consul is kept.
	idleTimeout = time.Minute
	// removeTimeout is how long a service that is to go is waited for.
	removeTimeout = 5 * time.Second
	// probation is how long services that nobody asked for stay after a start:
	// they may be those of allocations that are about to be restored.
	probation = time.Minute
)

// Agent keeps the services of a Consul agent at what allocations ask for: also
// when Consul cannot be reached for a while, or forgets them. Of the other
// services there it only removes those that a node has left behind.
type Agent struct {
	client    *consul.Client
	asking    *consul.Client // for what waits for changes
	closeIdle func()
	log       *slog.Logger
	wake      chan struct{} // something has changed
	doubt     chan struct{} // Consul may have forgotten something
	ended     chan struct{} // Run has returned

	mu       sync.Mutex
	wanted   map[string]*consul.AgentServiceRegistration // by ID
	reports  map[string]func(string, result)             // by check ID
	statuses map[string]result                           // as reported last, by check ID
	waiting  []chan struct{}                             // closed after the next whole round

	// registered is what Consul was told, by ID; nil for what it has of others
	// that are gone. Run's own.
	registered map[string]*consul.AgentServiceRegistration
	began      time.Time // Run's own
}

// NewAgent returns the agent that the configuration leads to; its transport is
// the agent's own from here on. Run must be called for it to do anything.
func NewAgent(config consul.Config, logger *slog.Logger) (*Agent, error) {
	transport := &http.Transport{IdleConnTimeout: idleTimeout}
	config.Transport = transport
	client, err := consul.NewClient(&config)
	if err != nil {
		return nil, fmt.Errorf("reach Consul at %s: %w", config.Address, err)
	}
	// A connection for each question: one that is used again is quietly made anew
	// when the other end goes away, and with it what is to be noticed.
	config.Transport = &http.Transport{DisableKeepAlives: true}
	asking, err := consul.NewClient(&config)
	if err != nil {
		return nil, fmt.Errorf("reach Consul at %s: %w", config.Address, err)
	}
	return &Agent{
		client: client, asking: asking, closeIdle: transport.CloseIdleConnections, log: logger,
		wake: make(chan struct{}, 1), doubt: make(chan struct{}, 1), ended: make(chan struct{}),
		wanted: map[string]*consul.AgentServiceRegistration{}, reports: map[string]func(string, result){}, statuses: map[string]result{},
		registered: map[string]*consul.AgentServiceRegistration{},
	}, nil
}

// Run works until the context ends. It may be called once.
func (a *Agent) Run(ctx context.Context) {
	defer close(a.ended)
	defer a.closeIdle()
	a.began = time.Now()
	var following sync.WaitGroup
	following.Go(func() { a.follow(ctx) })
	defer following.Wait()
	compare := time.NewTicker(syncInterval)
	defer compare.Stop()
	whole := true
	troubled := false
	for {
		err := a.round(ctx, whole)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !troubled {
			a.log.Warn("services cannot be registered in Consul, trying again", "error", err)
		}
		troubled = err != nil
		var retry <-chan time.Time
		if troubled {
			retry = time.After(retryPause)
		}
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
			whole = troubled
		case <-a.doubt:
			whole = true
		case <-compare.C:
			whole = true
		case <-retry:
			whole = true
		}
	}
}

// add has a service registered, or what is new of it, and the results of its
// checks reported.
func (a *Agent) add(service *consul.AgentServiceRegistration, report func(id string, found result)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.wanted[service.ID]; old != nil {
		a.forgetLocked(old, service)
	}
	a.wanted[service.ID] = service
	for _, c := range service.Checks {
		a.reports[c.CheckID] = report
	}
	signal(a.wake)
}

// forgetLocked drops the results of the checks that are not in the next one.
func (a *Agent) forgetLocked(old, next *consul.AgentServiceRegistration) {
	for _, c := range old.Checks {
		stays := next != nil && slices.ContainsFunc(next.Checks, func(n *consul.AgentServiceCheck) bool { return n.CheckID == c.CheckID })
		if !stays {
			delete(a.reports, c.CheckID)
			delete(a.statuses, c.CheckID)
		}
	}
}

// remove has services deregistered, and returns when they are, or when Consul
// takes long: then they go as soon as it can be reached.
func (a *Agent) remove(ids []string) {
	done := make(chan struct{})
	a.mu.Lock()
	for _, id := range ids {
		if old := a.wanted[id]; old != nil {
			a.forgetLocked(old, nil)
			delete(a.wanted, id)
		}
	}
	a.waiting = append(a.waiting, done)
	signal(a.wake)
	a.mu.Unlock()
	select {
	case <-done:
	case <-a.ended:
	case <-time.After(removeTimeout):
	}
}

// update tells Consul the result of a check that it does not run itself.
func (a *Agent) update(ctx context.Context, check string, found result) error {
	return a.client.Agent().UpdateTTLOpts(check, found.output, found.status, new(consul.QueryOptions).WithContext(ctx))
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
