package s3

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
)

const day = 24 * time.Hour

// dueAfter is when something that began at t is so many days old, as S3 counts:
// at the midnight that follows.
func dueAfter(t time.Time, days int) time.Time {
	return t.UTC().Add(time.Duration(days+1) * day).Truncate(day)
}

// matches tells whether an enabled rule is about a version. One with tags or
// sizes is not about delete markers, which have neither.
func matches(r *lifecycle.Rule, e *entry) bool {
	f := &r.RuleFilter
	if r.Status != ruleEnabled || !strings.HasPrefix(e.key, rulePrefix(r)) {
		return false
	}
	over, under := max(f.ObjectSizeGreaterThan, f.And.ObjectSizeGreaterThan), max(f.ObjectSizeLessThan, f.And.ObjectSizeLessThan)
	wanted := f.And.Tags
	if !f.Tag.IsEmpty() {
		wanted = []lifecycle.Tag{f.Tag}
	}
	if e.marker {
		return over == 0 && under == 0 && len(wanted) == 0
	}
	if over > 0 && e.size <= over || under > 0 && e.size >= under {
		return false
	}
	return hasTags(e, wanted)
}

func rulePrefix(r *lifecycle.Rule) string {
	switch {
	case r.RuleFilter.Prefix != "":
		return r.RuleFilter.Prefix
	case r.RuleFilter.And.Prefix != "":
		return r.RuleFilter.And.Prefix
	}
	return r.Prefix
}

func hasTags(e *entry, wanted []lifecycle.Tag) bool {
	if len(wanted) == 0 {
		return true
	}
	has, err := url.ParseQuery(e.attributes.get().Tags)
	if err != nil {
		return false
	}
	for _, t := range wanted {
		if v, ok := has[t.Key]; !ok || v[0] != t.Value {
			return false
		}
	}
	return true
}

// expiration is when a current version is to go, and why.
type expiration struct {
	due  time.Time
	rule *lifecycle.Rule
}

// expirationOf finds the rule that comes first for a current version; none has a
// rule of nil.
func expirationOf(c *lifecycle.Configuration, e *entry) expiration {
	var first expiration
	if c == nil || e.marker {
		return first
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		var due time.Time
		switch exp := r.Expiration; {
		case !exp.IsDateNull():
			due = exp.Date.Time
		case !exp.IsDaysNull():
			due = dueAfter(e.modified, int(exp.Days))
		default:
			continue
		}
		if matches(r, e) && (first.rule == nil || due.Before(first.due)) {
			first = expiration{due, r}
		}
	}
	return first
}

// expired returns what tells whether a current version is to be gone by now; nil
// when the bucket has no rules.
func (b *bucket) expired(now time.Time) func(e entry) bool {
	c := b.config().Lifecycle
	if c == nil {
		return nil
	}
	return func(e entry) bool {
		x := expirationOf(c, &e)
		return x.rule != nil && !now.Before(x.due)
	}
}

// setExpiration tells when the lifecycle will end the current version that m is.
func (q *request) setExpiration(b *bucket, m *meta) {
	c := b.config().Lifecycle
	if c == nil {
		return
	}
	e := entryOf(m)
	if x := expirationOf(c, &e); x.rule != nil {
		q.w.Header().Set("X-Amz-Expiration", fmt.Sprintf(`expiry-date="%s", rule-id="%s"`, x.due.UTC().Format(http.TimeFormat), x.rule.ID))
	}
}

// doom is what the lifecycle is to do to one key.
type doom struct {
	removal
	sequence int64 // of the version that it is about, which may be another by then
	// event is what it is called when all versions of the key go, else "".
	event notification.EventType
}

// dooms finds what is to go of a key now.
func dooms(c *lifecycle.Configuration, it *item, now time.Time) []doom {
	if it.marker {
		if all, alone := markerDue(c, it, now); all {
			return allVersions(it, notification.ILMDelMarkerExpirationDelete)
		} else if alone {
			return []doom{doomOf(&it.entry)}
		}
	} else if x := expirationOf(c, &it.entry); x.rule != nil && !now.Before(x.due) {
		if x.rule.Expiration.DeleteAll.IsEnabled() {
			return allVersions(it, objectRemovedAllVersions)
		}
		// The current version is hidden by a delete marker where there is versioning.
		return append(noncurrentDooms(c, it, now), doom{removal: removal{key: it.key}, sequence: it.sequence})
	}
	return noncurrentDooms(c, it, now)
}

func doomOf(e *entry) doom {
	return doom{removal: removal{key: e.key, version: versionID(e.version)}, sequence: e.sequence}
}

func allVersions(it *item, event notification.EventType) []doom {
	all := []doom{doomOf(&it.entry)}
	for i := range it.older {
		all = append(all, doomOf(it.older[i]))
	}
	for i := range all {
		all[i].event = event
	}
	return all
}

// markerDue tells whether a delete marker goes now with all that it hides, or
// alone because it hides nothing any more.
func markerDue(c *lifecycle.Configuration, it *item, now time.Time) (all, alone bool) {
	for i := range c.Rules {
		r := &c.Rules[i]
		if !matches(r, &it.entry) {
			continue
		}
		due := func(days int) bool { return days > 0 && !now.Before(dueAfter(it.modified, days)) }
		all = all || due(r.DelMarkerExpiration.Days)
		if len(it.older) == 0 {
			alone = alone || r.Expiration.DeleteMarker.IsEnabled() || due(int(r.Expiration.Days))
		}
	}
	return all, alone
}

// noncurrentDooms finds the versions that were replaced long enough ago, or by
// enough others.
func noncurrentDooms(c *lifecycle.Configuration, it *item, now time.Time) []doom {
	var gone []doom
	successor := it.modified
	for i := len(it.older) - 1; i >= 0; i-- {
		e, newer := it.older[i], len(it.older)-1-i
		for j := range c.Rules {
			n := c.Rules[j].NoncurrentVersionExpiration
			if n.IsDaysNull() && n.NewerNoncurrentVersions == 0 || !matches(&c.Rules[j], e) {
				continue
			}
			if newer >= n.NewerNoncurrentVersions && (n.IsDaysNull() || !now.Before(dueAfter(successor, int(n.NoncurrentDays)))) {
				gone = append(gone, doomOf(e))
				break
			}
		}
		successor = e.modified
	}
	return gone
}
