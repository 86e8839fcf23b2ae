package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// List implements cloud.Records.
func (r *Records) List(ctx context.Context, prefix string) iter.Seq2[cloud.Record, error] {
	return func(yield func(cloud.Record, error) bool) {
		l := listing{Records: r, prefix: prefix, seen: map[string]bool{}, wanted: true}
		l.take = func(record cloud.Record) bool { return yield(record, nil) }
		err := r.whileConnected(ctx, func(ctx context.Context) error {
			if err := l.sweep(ctx); err != nil || !l.wanted {
				return err
			}
			return l.complete(ctx)
		})
		if err != nil && l.wanted {
			yield(cloud.Record{}, fmt.Errorf("list records %s: %w", prefix, err))
		}
	}
}

// listing is one List.
type listing struct {
	*Records
	prefix string
	take   func(cloud.Record) bool
	wanted bool            // take wants more
	seen   map[string]bool // by encoded key; the removed ones too
}

// add hands on a record that was not seen before.
func (l *listing) add(entry jetstream.KeyValueEntry) {
	if l.seen[entry.Key()] {
		return
	}
	l.seen[entry.Key()] = true
	if entry.Operation() == jetstream.KeyValuePut {
		l.wanted = l.take(cloud.Record{Key: decodeKey(entry.Key()), Value: entry.Value(), Revision: entry.Revision()})
	}
}

// sweep goes through the records in the order in which they were written, once.
func (l *listing) sweep(ctx context.Context) error {
	watcher, err := l.watch(ctx, l.prefix)
	if err != nil {
		return err
	}
	defer watcher.stop()
	for l.wanted {
		select {
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return cmp.Or(ctx.Err(), nats.ErrConnectionClosed)
			case entry == nil: // that was all, the server says
				return nil
			}
			l.add(entry)
		case <-time.After(answerWait):
			return fmt.Errorf("%w: %w", cloud.ErrUnavailable, errNoAnswer)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// complete gets what a sweep has missed: a record that is written meanwhile is
// not at its old place any more, and not yet at its new one when the server
// says that there are no more.
func (l *listing) complete(ctx context.Context) error {
	keys, err := below(l.prefix)
	if err != nil {
		return err
	}
	var info *jetstream.StreamInfo
	err = l.call(ctx, func(ctx context.Context) (err error) {
		info, err = l.stream.Info(ctx, jetstream.WithSubjectFilter(l.subject(keys)))
		return err
	})
	if err != nil {
		return err
	}
	for subject := range info.State.Subjects {
		encoded := strings.TrimPrefix(subject, l.subject(""))
		if l.seen[encoded] {
			continue
		}
		entry, err := l.get(ctx, encoded)
		if errors.Is(err, cloud.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if l.add(entry); !l.wanted {
			return nil
		}
	}
	return nil
}
