package s3

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
)

const (
	scanInterval = time.Minute
	scanKeys     = 1000 // that are looked at under one lock
	scanRemovals = 50   // that share one sync, and hold up writes to their keys
	ilmSource    = "Internal: [ILM-Expiry]"
)

var errStays = errors.New("the version has changed, or is locked")

// scanner does what the buckets' lifecycles say, as long as one has any.
type scanner struct {
	srv    *Server
	kicked chan struct{}
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func startScanner(s *Server) *scanner {
	ctx, cancel := context.WithCancel(context.Background())
	c := &scanner{srv: s, kicked: make(chan struct{}, 1), cancel: cancel}
	c.kick()
	c.wg.Go(func() { c.run(ctx) })
	return c
}

// kick has the scanner look at once: a bucket has rules.
func (c *scanner) kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

func (c *scanner) stop() {
	c.cancel()
	c.wg.Wait()
}

func (c *scanner) run(ctx context.Context) {
	for {
		var again <-chan time.Time
		if c.scan(ctx) {
			again = time.After(scanInterval)
		}
		select {
		case <-again:
		case <-c.kicked:
		case <-ctx.Done():
			return
		}
	}
}

// scan goes through all buckets once. It returns false when none has rules.
func (c *scanner) scan(ctx context.Context) bool {
	ruled := false
	for _, b := range c.srv.st.allBuckets() {
		conf := b.config().Lifecycle
		if conf == nil {
			continue
		}
		ruled = true
		c.scanBucket(ctx, b, conf)
		c.abortUploads(b, conf)
	}
	return ruled
}

func (c *scanner) scanBucket(ctx context.Context, b *bucket, conf *lifecycle.Configuration) {
	for after, more := "", true; more && ctx.Err() == nil; {
		var found []doom
		now := c.srv.now()
		after, more = b.index.each(after, scanKeys, func(it item) { found = append(found, dooms(conf, &it, now)...) })
		for len(found) > 0 && ctx.Err() == nil {
			n := min(len(found), scanRemovals)
			if err := c.srv.expire(b, found[:n]); err != nil {
				c.srv.log.Error("s3 lifecycle: objects not removed", "bucket", b.name, "error", err)
				return
			}
			found = found[n:]
		}
	}
}

// expire removes what has expired, unless it has changed meanwhile.
func (s *Server) expire(b *bucket, found []doom) error {
	what := make([]removal, len(found))
	sequences := make(map[removal]int64, len(found))
	whole := map[string]notification.EventType{} // what the end of all of a key's versions is called, once
	for i, d := range found {
		what[i], sequences[d.removal] = d.removal, d.sequence
		if d.event != "" {
			whole[d.key] = d.event
		}
	}
	n := news{srv: s, cause: func() cause { return cause{host: ilmSource, userAgent: ilmSource} }}
	out, err := s.st.remove(b, what, removing{
		now: s.now().UTC(),
		check: func(w removal, cur entry, exists bool) error {
			if cur.sequence != sequences[w] || !exists || w.version != "" && cur.attributes.get().locked(s.now(), false) != nil {
				return errStays
			}
			return nil
		},
		events: func(name notification.EventType, m *meta) ([]event, error) {
			event, ok := whole[m.Key]
			switch {
			case !ok && name == notification.ObjectRemovedDeleteMarkerCreated:
				return n.commit(b, notification.ObjectRemovedDelete, m)
			case !ok:
				return n.commit(b, name, m)
			case event == "":
				return nil, nil
			}
			whole[m.Key] = ""
			return n.commit(b, event, m)
		},
	})
	if err != nil {
		return err
	}
	for _, r := range out {
		if r.err != nil && !errors.Is(r.err, errStays) {
			return r.err
		}
	}
	n.tell()
	return nil
}

// expireNow removes an object that has expired and that somebody asks for.
func (q *request) expireNow(b *bucket, e entry) {
	conf := b.config().Lifecycle
	it, ok := b.index.key(e.key)
	if conf == nil || !ok {
		return
	}
	if err := q.srv.expire(b, dooms(conf, &it, q.srv.now())); err != nil {
		q.srv.log.Error("s3 lifecycle: object not removed", "bucket", b.name, "key", e.key, "error", err)
	}
}

// abortUploads ends the multipart uploads that a rule gives up.
func (c *scanner) abortUploads(b *bucket, conf *lifecycle.Configuration) {
	for _, u := range c.srv.st.uploadsOf(b.name) {
		for i := range conf.Rules {
			r := &conf.Rules[i]
			days := int(r.AbortIncompleteMultipartUpload.DaysAfterInitiation)
			if days == 0 || r.Status != ruleEnabled || !strings.HasPrefix(u.Key, rulePrefix(r)) || c.srv.now().Before(dueAfter(u.Initiated, days)) {
				continue
			}
			if err := c.srv.st.abort(u); err != nil && !errors.Is(err, errNoSuchUpload) {
				c.srv.log.Error("s3 lifecycle: upload not aborted", "bucket", b.name, "upload", u.ID, "error", err)
			}
			break
		}
	}
}
