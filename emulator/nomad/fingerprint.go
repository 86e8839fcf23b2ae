package nomad

import (
	"context"
	"sync"
	"time"
)

// fingerprintEvery is the least time between two questions to Consul about
// itself: all nodes of the machine share an answer.
const fingerprintEvery = 10 * time.Second

// fingerprint is what Consul has said of itself.
type fingerprint struct {
	mu         sync.Mutex
	asked      time.Time
	attributes map[string]string
}

// attributes are those that nodes have for the sake of Consul; none while it
// does not answer.
func (m *machine) attributes(ctx context.Context) map[string]string {
	if m.consul == nil {
		return nil
	}
	f := &m.fingerprint
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.asked) > fingerprintEvery {
		f.attributes, f.asked = m.consul.Fingerprint(ctx), now
	}
	return f.attributes
}
