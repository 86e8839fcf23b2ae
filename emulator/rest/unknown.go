package rest

import "sync"

// maxUnknown bounds how many unknown routes are counted each by itself.
const maxUnknown = 1000

// Unknown counts the requests that no route of a table answers, so that a gap
// in the surface is seen. The zero value is ready; it may be used from any goroutine.
type Unknown struct {
	mu     sync.Mutex
	counts map[string]int
}

// Add counts one, and returns how many there were of that route.
func (u *Unknown) Add(route string) (count int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts == nil {
		u.counts = map[string]int{}
	}
	if _, known := u.counts[route]; !known && len(u.counts) >= maxUnknown {
		route = "others"
	}
	u.counts[route]++
	return u.counts[route]
}
