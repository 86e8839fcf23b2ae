package consul

import (
	"errors"

	"github.com/google/uuid"
)

// agent is a node of a datacenter and the API that clients speak to.
type agent struct {
	dc      *datacenter
	options Agent
	http    *listener // nil when it listens nowhere
	events  eventRing
	cache   answerCache
}

func startAgent(d *datacenter, o Agent) (*agent, error) {
	if o.ID == "" {
		o.ID = uuid.NewString()
	}
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	if o.HTTP == "" {
		o.HTTP = "127.0.0.1:0"
	}
	a := &agent{dc: d, options: o}
	if o.HTTP != "-" {
		var err error
		if a.http, err = listen(o.HTTP, a, d.consul.log); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *agent) close() error {
	var err error
	if a.http != nil {
		err = errors.Join(err, a.http.close())
	}
	return err
}
