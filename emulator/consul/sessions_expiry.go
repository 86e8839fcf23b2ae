package consul

import (
	"context"
	"sync"
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// graceFactor is how many times its TTL a session may go without being renewed.
const graceFactor = 2

// sessionDeadlines are when the sessions of a datacenter end that have a TTL
// and are not renewed. They are not part of the state: after a start, all
// sessions have their whole time again. Its methods may be called from any goroutine.
type sessionDeadlines struct {
	mu sync.Mutex
	by map[string]time.Time // session ID
}

// renew gives a session its whole time again.
func (d *sessionDeadlines) renew(s *state.Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.by[s.ID]; ok {
		d.by[s.ID] = time.Now().Add(grace(s))
	}
}

func grace(s *state.Session) time.Duration {
	ttl, _ := time.ParseDuration(s.TTL) // it was valid when the session was created
	return graceFactor * ttl
}

// update takes new sessions in, forgets those that are gone, and returns the
// ones whose time is over and when the next is. Without a next one it is zero.
func (d *sessionDeadlines) update(sessions []*state.Session) (over []string, next time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, old := time.Now(), d.by
	d.by = map[string]time.Time{}
	for _, session := range sessions {
		grace := grace(session)
		if grace == 0 {
			continue
		}
		deadline, ok := old[session.ID]
		if !ok {
			deadline = now.Add(grace)
		}
		if !now.Before(deadline) {
			over = append(over, session.ID)
			continue
		}
		d.by[session.ID] = deadline
		if next.IsZero() || deadline.Before(next) {
			next = deadline
		}
	}
	return over, next
}

// expireSessions ends the sessions whose holders do not renew them, until the
// context ends.
func (d *datacenter) expireSessions(ctx context.Context) {
	for ctx.Err() == nil {
		view := d.store.View()
		over, next := d.sessions.update(store.Collect[state.Session](view, state.TableSessions, "id"))
		if len(over) > 0 {
			d.endSessions(over)
			continue
		}
		wait, cancel := ctx, context.CancelFunc(func() {})
		if !next.IsZero() {
			wait, cancel = context.WithDeadline(ctx, next)
		}
		// It ends when sessions change or one is due, which the next round sees.
		_ = view.Wait(wait)
		cancel()
	}
}

func (d *datacenter) endSessions(ids []string) {
	err := d.store.Write(func(tx *state.Tx) error {
		for _, id := range ids {
			tx.EndSession(id)
		}
		return nil
	})
	if err != nil {
		d.consul.log.Error("cannot end sessions that were not renewed", "datacenter", d.name, "error", err)
	}
}
