package consul

import (
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// cacheTTL is how long an agent remembers what it was asked for.
	cacheTTL = 72 * time.Hour
	// maxCached is how many answers an agent remembers. With one more it starts anew.
	maxCached = 10_000
)

// answerCache remembers what an agent was asked for with ?cached. Its zero
// value is ready; its methods may be called from any goroutine.
type answerCache struct {
	mu      sync.Mutex
	entries map[string]cachedAnswer // by what was asked
}

type cachedAnswer struct {
	answer  any
	fetched time.Time
}

func (c *answerCache) find(key string) (cachedAnswer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries[key]
	return entry, ok && time.Since(entry.fetched) < cacheTTL
}

func (c *answerCache) keep(key string, answer any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxCached {
		c.entries = map[string]cachedAnswer{}
	}
	c.entries[key] = cachedAnswer{answer, time.Now()}
}

// cacheControl is what of the header Cache-Control an agent heeds. An answer is
// never too old for stale-if-error: there is no error to fall back from.
type cacheControl struct {
	maxAge     time.Duration // 0 with hasMaxAge is none at all
	hasMaxAge  bool
	revalidate bool
}

func (r *request) cacheControl() (cacheControl, error) {
	var control cacheControl
	for directive := range strings.SplitSeq(r.Header.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "must-revalidate":
			control.revalidate = true
		case "max-age", "stale-if-error":
			seconds, err := strconv.ParseUint(value, 10, 31)
			if err != nil {
				return control, badRequest("Invalid Cache-Control header.")
			}
			if name == "max-age" {
				control.maxAge, control.hasMaxAge = time.Duration(seconds)*time.Second, true
			}
		}
	}
	return control, nil
}

// cached answers what an agent keeps as it was when it was fetched: with
// ?cached, and as far as Cache-Control allows it.
func (r *request) cached(fetch func() (any, error)) (any, error) {
	control, err := r.cacheControl()
	if err != nil || !r.has("cached") {
		if err != nil {
			return nil, err
		}
		return fetch()
	}
	key := r.cacheKey()
	entry, ok := r.agent.cache.find(key)
	age := time.Since(entry.fetched)
	if ok && !control.revalidate && (!control.hasMaxAge || age < control.maxAge) {
		r.cacheHit(age)
		return entry.answer, nil
	}
	answer, err := fetch()
	if err != nil {
		return nil, err
	}
	r.agent.cache.keep(key, answer)
	r.header.Set("X-Cache", "MISS")
	return answer, nil
}

// cachedLive is for what an agent, once asked for with ?cached, keeps up with
// in the background: it is always fresh, and only the headers tell.
func (r *request) cachedLive() error {
	if _, err := r.cacheControl(); err != nil || !r.has("cached") {
		return err
	}
	if r.has("consistent") {
		return badRequest("Cannot specify ?cached with ?consistent, conflicting semantics.")
	}
	key := r.cacheKey()
	if _, ok := r.agent.cache.find(key); ok {
		r.cacheHit(0)
		return nil
	}
	r.agent.cache.keep(key, nil)
	r.header.Set("X-Cache", "MISS")
	return nil
}

func (r *request) cacheHit(age time.Duration) {
	r.header.Set("X-Cache", "HIT")
	r.header.Set("Age", strconv.Itoa(int(age/time.Second)))
}

// cacheKey is what tells questions apart: all but how the client waits for the answer.
func (r *request) cacheKey() string {
	what := url.Values{}
	for name, values := range r.query {
		switch name {
		case "index", "wait", "cached", "pretty", "stale", "token":
		default:
			what[name] = values
		}
	}
	return strings.Join([]string{r.dc.name, r.token, r.URL.Path, what.Encode()}, "\x00")
}
