package acl

import "sync"

// maxCached bounds how many rules a Cache remembers.
const maxCached = 1024

// Cache remembers what rules say, as they are asked for with each request. The
// zero value is ready; it may be used from any goroutine.
type Cache struct {
	mu     sync.Mutex
	parsed map[string]*Policy
}

// Parse is Parse, remembered. What it returns is shared: it is never changed.
func (c *Cache) Parse(rules string) (*Policy, error) {
	c.mu.Lock()
	policy := c.parsed[rules]
	c.mu.Unlock()
	if policy != nil {
		return policy, nil
	}
	policy, err := Parse(rules)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parsed == nil || len(c.parsed) >= maxCached {
		c.parsed = map[string]*Policy{}
	}
	c.parsed[rules] = policy
	return policy, nil
}
