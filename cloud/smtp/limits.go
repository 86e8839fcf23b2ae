package smtp

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

// limits are how many mails may go at once and how fast, over all domains and
// to one.
type limits struct {
	all     limit
	domains map[string]limit
}

type limit struct {
	slots chan struct{} // full when no more may go at once; nil for no limit
	rate  ratelimiter.RateLimiter[any]
}

func readLimits(query url.Values) (*limits, error) {
	l := &limits{all: limit{slots: make(chan struct{}, defaultConnections)}, domains: map[string]limit{}}
	for _, given := range query["connections"] {
		domain, text := splitDomain(given)
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxConnections {
			return nil, fmt.Errorf("connections=%.80q is not [domain:]N with N from 1 to %d", given, maxConnections)
		}
		l.change(domain, func(of *limit) { of.slots = make(chan struct{}, n) })
	}
	for _, given := range query["rate"] {
		domain, text := splitDomain(given)
		count, unit, _ := strings.Cut(text, "/")
		period := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
		n, err := strconv.ParseUint(count, 10, 32)
		if err != nil || n == 0 || period == 0 || period/time.Duration(n) == 0 {
			return nil, fmt.Errorf("rate=%.80q is not [domain:]N/s, /m or /h", given)
		}
		l.change(domain, func(of *limit) { of.rate = ratelimiter.NewSmooth[any](uint(n), period) })
	}
	return l, nil
}

// splitDomain takes "domain:limit" apart; the domain may be missing.
func splitDomain(text string) (domain, limit string) {
	if domain, limit, found := strings.Cut(text, ":"); found {
		return strings.ToLower(domain), limit
	}
	return "", text
}

func (l *limits) change(domain string, change func(*limit)) {
	if domain == "" {
		change(&l.all)
		return
	}
	of := l.domains[domain]
	change(&of)
	l.domains[domain] = of
}

// acquire waits until a mail to the domain may go, or the context ends. One
// that waits for its domain holds up no other domain.
func (l *limits) acquire(ctx context.Context, domain string) (release func(), err error) {
	var held []chan struct{}
	release = func() {
		for _, slots := range held {
			<-slots
		}
	}
	for _, of := range []limit{l.domains[strings.ToLower(domain)], l.all} {
		if of.slots != nil {
			select {
			case of.slots <- struct{}{}:
				held = append(held, of.slots)
			case <-ctx.Done():
				release()
				return nil, ctx.Err()
			}
		}
		if of.rate == nil {
			continue
		}
		if err := of.rate.AcquirePermit(ctx); err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// try takes a place over all domains if there is a free one.
func (l *limits) try() (release func(), free bool) {
	select {
	case l.all.slots <- struct{}{}:
		return func() { <-l.all.slots }, true
	default:
		return nil, false
	}
}
