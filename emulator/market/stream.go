package market

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// heartbeat is the longest silence of a stream.
	heartbeat = 15 * time.Second
	// sendWait is how long a reader may take for what it is sent.
	sendWait = 10 * time.Second
)

// getStream sends the quotes from now on.
func (m *Market) getStream(w http.ResponseWriter, r *http.Request) error {
	b, sent := m.now()
	if _, err := m.asked(b, r); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	symbols := strings.Split(r.URL.Query().Get("symbols"), ",")
	connection := http.NewResponseController(w)
	for {
		b, now := m.now()
		if _, down := b.active(FeedDown, symbols, now); down {
			panic(http.ErrAbortHandler) // this closes the connection
		}
		tapes, err := m.asked(b, r)
		if err != nil {
			return err
		}
		// A connection that knows no deadline, as in a test, needs none.
		_ = connection.SetWriteDeadline(time.Now().Add(sendWait))
		if send(w, tapes, sent, now) != nil || connection.Flush() != nil {
			return nil // the reader is gone
		}
		sent = now
		timer := time.NewTimer(b.wake(tapes, symbols, now))
		select {
		case <-timer.C:
		case <-b.replaced:
		case <-r.Context().Done():
		}
		timer.Stop()
		if r.Context().Err() != nil {
			return nil
		}
	}
}

// send writes what is delivered after a time and up to another, or a comment
// when that is nothing.
func send(w http.ResponseWriter, tapes []*tape, after, until int64) error {
	silent := true
	for {
		at, ok := nextOf(tapes, after)
		if !ok || at > until {
			break
		}
		for _, t := range tapes {
			if last, ok := t.last(at); !ok || last != at {
				continue
			}
			for _, quoted := range t.delivered(at) {
				data, err := json.Marshal(t.quote(quoted))
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
					return err
				}
				silent = false
			}
		}
		after = at
	}
	if silent {
		_, err := fmt.Fprint(w, ":\n\n")
		return err
	}
	return nil
}

// wake is how long a stream has nothing to do.
func (b *book) wake(tapes []*tape, symbols []string, now int64) time.Duration {
	next := now + int64(heartbeat)
	if at, ok := nextOf(tapes, now); ok {
		next = min(next, at)
	}
	for _, e := range b.events {
		if begin := e.span().begin; e.Kind == FeedDown && begin > now && e.about(symbols) {
			next = min(next, begin)
		}
	}
	return time.Duration(next - now)
}
