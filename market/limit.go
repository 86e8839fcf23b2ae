package market

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drydock/drydock/cloud"
)

// rate is what a vendor allows. The zero rate allows everything.
//
// It is kept by the generic cell rate algorithm, whose only state is the time
// at which the next request would be due if all were evenly spaced. A request
// may be ahead of that by the burst. The spacing is such that any span of the
// length per holds at most so many requests, those of a burst included.
type rate struct {
	spacing time.Duration // between requests
	ahead   time.Duration // that a request may be before it is due
}

func newRate(requests int, per time.Duration, burst int) rate {
	spacing := per / time.Duration(requests-burst+1)
	if spacing*time.Duration(requests-burst+1) < per {
		spacing++
	}
	return rate{spacing: spacing, ahead: spacing * time.Duration(burst-1)}
}

// admit tells how long a request has to wait. When it need not, due is when
// the next one is due after it.
func (r rate) admit(due, now time.Time) (next time.Time, wait time.Duration) {
	if wait := due.Add(-r.ahead).Sub(now); wait > 0 {
		return due, wait
	}
	if due.Before(now) {
		due = now
	}
	return due.Add(r.spacing), 0
}

// pause is the due time by which no request is admitted until the time given.
func (r rate) pause(due, until time.Time) time.Time {
	if paused := until.Add(r.ahead); paused.After(due) {
		return paused
	}
	return due
}

// limit keeps a vendor's rate for all clients that have the same records. The
// clocks of their machines have to agree: one that is fast by some time sends
// the requests of that time early, once.
type limit struct {
	rate
	records cloud.Records
	key     string
}

// reservation is the document of a limit.
type reservation struct {
	Due time.Time `json:"due"`
}

func newLimit(records cloud.Records, vendor string, r rate) *limit {
	return &limit{rate: r, records: records, key: "limits/" + vendor}
}

// take waits for leave to send one request. It returns a *RateLimitedError at
// once when that would be after the context's deadline.
func (l *limit) take(ctx context.Context) error {
	for {
		due, revision, err := l.read(ctx)
		if err != nil {
			return err
		}
		next, wait := l.admit(due, time.Now())
		if wait > 0 {
			if err := sleep(ctx, wait); err != nil {
				return err
			}
			continue // there may have been a pause meanwhile
		}
		if l.spacing == 0 {
			return nil
		}
		if stored, err := l.write(ctx, next, revision); stored || err != nil {
			return err
		}
	}
}

// pause keeps everybody from sending for a while.
func (l *limit) pause(ctx context.Context, pause time.Duration) error {
	until := time.Now().Add(pause)
	for {
		due, revision, err := l.read(ctx)
		if err != nil {
			return err
		}
		paused := l.rate.pause(due, until)
		if paused.Equal(due) {
			return nil
		}
		if stored, err := l.write(ctx, paused, revision); stored || err != nil {
			return err
		}
	}
}

func (l *limit) read(ctx context.Context) (due time.Time, revision uint64, err error) {
	record, err := l.records.Get(ctx, l.key)
	if errors.Is(err, cloud.ErrNotFound) {
		return time.Time{}, 0, nil
	}
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("read the vendor's rate limit: %w", err)
	}
	var r reservation
	if err := json.Unmarshal(record.Value, &r); err != nil {
		return time.Time{}, 0, fmt.Errorf("read the vendor's rate limit: record %s: %w", l.key, err)
	}
	return r.Due, record.Revision, nil
}

// write stores the due time unless the record has changed meanwhile.
func (l *limit) write(ctx context.Context, due time.Time, revision uint64) (stored bool, err error) {
	value, err := json.Marshal(reservation{Due: due.UTC()})
	if err == nil {
		_, err = l.records.Put(ctx, l.key, value, revision, 0)
	}
	if errors.Is(err, cloud.ErrConflict) || errors.Is(err, cloud.ErrExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reserve a request to the vendor: %w", err)
	}
	return true, nil
}

func sleep(ctx context.Context, pause time.Duration) error {
	if deadline, limited := ctx.Deadline(); limited && time.Until(deadline) < pause {
		return &RateLimitedError{RetryAfter: pause}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
