package market

import (
	"crypto/sha256"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxClients bounds the clients whose requests are counted at one time.
const maxClients = 1024

// limits are the rate limits of the clients.
type limits struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	clients map[[sha256.Size]byte]*rate.Limiter
}

func newLimits(perSecond float64, burst int) *limits {
	l := &limits{rate: rate.Limit(perSecond), burst: burst, clients: map[[sha256.Size]byte]*rate.Limiter{}}
	if perSecond < 0 {
		l.rate = rate.Inf
	}
	return l
}

// wait is how long the client of a request has to wait before it makes another;
// 0 lets this one pass.
func (l *limits) wait(r *http.Request) time.Duration {
	client := r.Header.Get("Authorization")
	if client == "" {
		client, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	now := time.Now()
	limiter := l.client(sha256.Sum256([]byte(client)), now)
	if limiter == nil {
		return time.Second
	}
	turn := limiter.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

// client is the limiter of a client; nil when there are too many clients.
func (l *limits) client(key [sha256.Size]byte, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limiter, ok := l.clients[key]; ok {
		return limiter
	}
	if len(l.clients) >= maxClients {
		for key, limiter := range l.clients {
			if limiter.TokensAt(now) >= float64(l.burst) {
				delete(l.clients, key) // it is as good as new
			}
		}
	}
	if len(l.clients) >= maxClients {
		return nil
	}
	limiter := rate.NewLimiter(l.rate, l.burst)
	l.clients[key] = limiter
	return limiter
}
