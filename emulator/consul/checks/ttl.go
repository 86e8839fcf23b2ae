package checks

import (
	"sync"
	"time"
)

// ttl is a check whose service must call in before its time is over.
type ttl struct {
	span    time.Duration
	deliver func(Result)

	mu       sync.Mutex // held while results are delivered
	timer    *time.Timer
	deadline time.Time
	last     string // output
	closed   bool
}

func startTTL(span time.Duration, deliver func(Result)) *ttl {
	t := &ttl{span: span, deliver: deliver}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deadline = time.Now().Add(span)
	t.timer = time.AfterFunc(span, t.expire)
	return t
}

func (t *ttl) update(result Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.deadline = time.Now().Add(t.span)
	t.timer.Reset(t.span)
	t.last = result.Output
	t.deliver(result)
}

// expire is called by the timer; an update may have been quicker to the lock.
func (t *ttl) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || time.Now().Before(t.deadline) {
		return
	}
	output := "TTL expired"
	if t.last != "" {
		output += " (last output before timeout follows): " + t.last
	}
	t.deliver(critical(output))
}

// close waits for an expiry that is being delivered.
func (t *ttl) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.timer.Stop()
}
