package s3

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

// aged is an endpoint whose scanner is somewhere else in time, and an inbox of
// what is removed.
type agedEndpoint struct {
	*endpoint
	clock    clock
	midnight time.Time // before the test
	in       inbox
}

func aged(t *testing.T, versioned bool) (*agedEndpoint, string) {
	t.Helper()
	a := &agedEndpoint{midnight: time.Now().UTC().Truncate(day)}
	e, b := bucketed(t, Options{Now: a.clock.now, Notifiers: map[string]Notifier{testARN: &a.in}})
	a.endpoint = e
	require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectRemovedAll, notification.ILMDelMarkerExpirationDelete)))
	if versioned {
		require.NoError(t, e.EnableVersioning(t.Context(), b))
	}
	return a, b
}

// travel sets the clock to so long after the midnight before the test. Clients
// sign with the time of the machine, so they have to wait until it is back.
func (a *agedEndpoint) travel(after time.Duration) {
	a.clock.ahead.Store(int64(time.Until(a.midnight.Add(after))))
}

func (a *agedEndpoint) scanAt(t *testing.T, after time.Duration) {
	t.Helper()
	a.travel(after)
	require.True(t, a.scanner.scan(t.Context()))
	a.clock.ahead.Store(0)
}

// rules sets a lifecycle without waking the scanner, so that tests scan themselves.
func (e *endpoint) rules(t *testing.T, b string, rules ...lifecycle.Rule) {
	t.Helper()
	c := &lifecycle.Configuration{Rules: rules}
	for i := range c.Rules {
		c.Rules[i].Status = ruleEnabled
		c.Rules[i].ID = string(rune('a' + i))
	}
	require.NoError(t, checkLifecycle(c))
	bk, err := e.st.bucket(b)
	require.NoError(t, err)
	require.NoError(t, e.st.configure(bk, func(conf *bucketConf) { conf.Lifecycle = c }))
}

func days(prefix string, n int) lifecycle.Rule {
	return lifecycle.Rule{RuleFilter: lifecycle.Filter{Prefix: prefix}, Expiration: lifecycle.Expiration{Days: lifecycle.ExpirationDays(n)}}
}

// versionsOf lists a bucket's versions, newest first, as "key", "key-" for a
// delete marker.
func (e *endpoint) versionsOf(t *testing.T, b string) string {
	t.Helper()
	var all []string
	for o := range e.ListObjects(t.Context(), b, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		require.NoError(t, o.Err)
		if o.IsDeleteMarker {
			o.Key += "-"
		}
		all = append(all, o.Key)
	}
	return strings.Join(all, " ")
}

func TestLifecycleConfiguration(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	_, err := e.GetBucketLifecycle(ctx, b)
	require.Equal(t, "NoSuchLifecycleConfiguration", codeOf(err))
	c := lifecycle.NewConfiguration()
	c.Rules = []lifecycle.Rule{days("tmp/", 3), {
		ID: "both", Status: ruleDisabled,
		RuleFilter: lifecycle.Filter{And: lifecycle.And{Prefix: "p/", Tags: []lifecycle.Tag{{Key: "k", Value: "v"}}, ObjectSizeGreaterThan: 10}},
		Expiration: lifecycle.Expiration{Date: lifecycle.ExpirationDate{Time: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}}
	c.Rules[0].Status = ruleEnabled
	require.NoError(t, e.SetBucketLifecycle(ctx, b, c))
	got, at, err := e.GetBucketLifecycleWithInfo(ctx, b)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	require.Len(t, got.Rules, 2)
	require.NotEmpty(t, got.Rules[0].ID, "a rule without an ID is given one")
	require.Equal(t, "tmp/", got.Rules[0].RuleFilter.Prefix)
	require.EqualValues(t, 3, got.Rules[0].Expiration.Days)
	require.EqualValues(t, 10, got.Rules[1].RuleFilter.And.ObjectSizeGreaterThan)
	require.True(t, got.Rules[1].Expiration.Date.Equal(c.Rules[1].Expiration.Date.Time))
	require.NoError(t, e.SetBucketLifecycle(ctx, b, lifecycle.NewConfiguration()), "which removes it")
	_, err = e.GetBucketLifecycle(ctx, b)
	require.Equal(t, "NoSuchLifecycleConfiguration", codeOf(err))
	require.Equal(t, "MissingContentMD5", e.signed(t, "PUT", "/"+b+"?lifecycle", []byte("<LifecycleConfiguration/>")).code(t))
}

func TestLifecyclesThatAreRefused(t *testing.T) {
	t.Parallel()
	const one, day = "<ID>a</ID><Status>Enabled</Status>", "<Expiration><Days>1</Days></Expiration>"
	const tag = "<Tag><Key>k</Key><Value>v</Value></Tag>"
	e, b := bucketed(t, Options{})
	for rules, says := range map[string]string{
		"": "should have at least one rule",
		"<Rule>" + one + day + "</Rule><Rule>" + one + day + "</Rule>":                                                               "Rule ID must be unique",
		"<Rule><ID>a</ID>" + day + "</Rule>":                                                                                         "Status should not be empty",
		"<Rule><ID>a</ID><Status>enabled</Status>" + day + "</Rule>":                                                                 "Status must be set to either",
		"<Rule><ID>" + strings.Repeat("x", 256) + "</ID><Status>Enabled</Status>" + day + "</Rule>":                                  "limited to 255",
		"<Rule>" + one + "</Rule>":                                                                                                   "not well-formed",
		"<Rule>" + one + "<Expiration><Days>-1</Days></Expiration></Rule>":                                                           "Days must be positive",
		"<Rule>" + one + "<Expiration><Days>x</Days></Expiration></Rule>":                                                            "not well-formed",
		"<Rule>" + one + "<Expiration><Date>2030-01-01</Date></Expiration></Rule>":                                                   "ISO 8601",
		"<Rule>" + one + "<Expiration><Date>2030-01-01T10:00:00Z</Date></Expiration></Rule>":                                         "midnight",
		"<Rule>" + one + "<Expiration><Days>1</Days><Date>2030-01-01T00:00:00Z</Date></Expiration></Rule>":                           "Exactly one of Days",
		"<Rule>" + one + "<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>": "Delete marker cannot",
		"<Rule>" + one + "<Expiration><ExpiredObjectAllVersions>true</ExpiredObjectAllVersions></Expiration></Rule>":                 "should be present",
		"<Rule>" + one + "<Filter><Prefix>p</Prefix>" + tag + "</Filter>" + day + "</Rule>":                                          "exactly one of",
		"<Rule>" + one + "<Prefix>x</Prefix><Filter><Prefix>p</Prefix></Filter>" + day + "</Rule>":                                   "not well-formed",
		"<Rule>" + one + "<Filter><And><Prefix>p</Prefix></And></Filter>" + day + "</Rule>":                                          "not well-formed",
		"<Rule>" + one + "<Filter><And>" + tag + tag + "</And></Filter>" + day + "</Rule>":                                           "Duplicate Tag",
		"<Rule>" + one + "<Filter><ObjectSizeLessThan>-1</ObjectSizeLessThan></Filter>" + day + "</Rule>":                            "not well-formed",
		"<Rule>" + one + "<Transition><Days>1</Days><StorageClass>COLD</StorageClass></Transition></Rule>":                           "Invalid storage class",
		"<Rule>" + one + "<NoncurrentVersionExpiration><NoncurrentDays>-1</NoncurrentDays></NoncurrentVersionExpiration></Rule>":     "Days must be positive",
		"<Rule>" + one + "<AllVersionsExpiration><Days>5</Days></AllVersionsExpiration></Rule>":                                      "not well-formed",
	} {
		r := e.signed(t, "PUT", "/"+b+"?lifecycle", []byte("<LifecycleConfiguration>"+rules+"</LifecycleConfiguration>"),
			"X-Amz-Checksum-Crc32", checksumOf(t, "<LifecycleConfiguration>"+rules+"</LifecycleConfiguration>"))
		require.Equal(t, 400, r.status, rules)
		require.Contains(t, r.body, says, rules)
	}
}

func checksumOf(t *testing.T, body string) string {
	t.Helper()
	p := newPayload(strings.NewReader(body), -1, minio.ChecksumCRC32)
	_, err := bytes.NewBuffer(nil).ReadFrom(p)
	require.NoError(t, err)
	return p.checksum().Value
}

func TestObjectsExpire(t *testing.T) {
	t.Parallel()
	e, b := aged(t, false)
	e.rules(t, b, days("day/", 1),
		lifecycle.Rule{RuleFilter: lifecycle.Filter{Prefix: "date/"}, Expiration: lifecycle.Expiration{Date: lifecycle.ExpirationDate{Time: e.midnight.Add(day)}}},
		lifecycle.Rule{RuleFilter: lifecycle.Filter{ObjectSizeGreaterThan: 5}, Expiration: lifecycle.Expiration{Days: 1}},
		lifecycle.Rule{RuleFilter: lifecycle.Filter{And: lifecycle.And{Prefix: "tagged/", Tags: []lifecycle.Tag{{Key: "k", Value: "v"}}}}, Expiration: lifecycle.Expiration{Days: 1}},
	)
	info := e.put(t, b, "day/a", "x")
	require.Equal(t, e.midnight.Add(2*day), info.Expiration.UTC())
	require.Equal(t, "a", info.ExpirationRuleID)
	require.True(t, e.put(t, b, "keep/a", "12345").Expiration.IsZero())
	e.put(t, b, "keep/large", "123456")
	e.put(t, b, "date/a", "x")
	for key, tag := range map[string]string{"tagged/a": "v", "tagged/b": "w"} {
		e.put(t, b, key, "x")
		bk, err := e.st.bucket(b)
		require.NoError(t, err)
		tagged, _ := bk.index.get(key)
		tagged.attributes = &attributes{Tags: "k=" + tag}
		bk.index.set(tagged)
	}
	for _, step := range []struct {
		at   time.Duration
		left string
	}{
		{day - time.Minute, "date/a day/a keep/a keep/large tagged/a tagged/b"},
		{day + time.Minute, "day/a keep/a keep/large tagged/a tagged/b"},
		{2*day - time.Minute, "day/a keep/a keep/large tagged/a tagged/b"},
		{2*day + time.Minute, "keep/a tagged/b"},
	} {
		e.scanAt(t, step.at)
		require.Equal(t, step.left, e.versionsOf(t, b))
	}
	eventually(t, func() bool { return len(e.in.got()) == 4 }, "four removals")
	require.Equal(t, "s3:ObjectRemoved:Delete", e.in.got()[0].EventName)
	require.Equal(t, ilmSource, e.in.got()[0].Records[0].Source.UserAgent)
}

// What has expired is neither served nor listed, also before the scanner came by.
func TestExpiredObjectsAreNotServed(t *testing.T) {
	t.Parallel()
	e, b := aged(t, false)
	e.rules(t, b, days("", 1))
	for _, key := range []string{"a/1", "b", "c"} {
		e.put(t, b, key, "x")
	}
	h := e.signed(t, "HEAD", "/"+b+"/b", nil).header
	require.Equal(t, `expiry-date="`+e.midnight.Add(2*day).Format(http.TimeFormat)+`", rule-id="a"`, h.Get("X-Amz-Expiration"))
	e.travel(2*day + time.Minute)
	require.Equal(t, 200, e.signed(t, "PUT", "/"+b+"/c", []byte("anew")).status)
	require.Equal(t, "NoSuchKey", e.signed(t, "GET", "/"+b+"/b", nil).code(t))
	require.Equal(t, 404, e.signed(t, "HEAD", "/"+b+"/b", nil).status)
	require.NotContains(t, e.signed(t, "GET", "/"+b+"?delimiter=%2F&list-type=2", nil).body, "a/")
	require.Equal(t, "anew", e.signed(t, "GET", "/"+b+"/c", nil).body)
	e.clock.ahead.Store(0)
	require.Equal(t, "a/1 c", e.versionsOf(t, b), "b was removed when it was asked for")
}

func TestVersionsExpire(t *testing.T) {
	t.Parallel()
	e, b := aged(t, true)
	ctx := t.Context()
	noncurrent := func(prefix string, days, newer int) lifecycle.Rule {
		return lifecycle.Rule{RuleFilter: lifecycle.Filter{Prefix: prefix}, NoncurrentVersionExpiration: lifecycle.NoncurrentVersionExpiration{NoncurrentDays: lifecycle.ExpirationDays(days), NewerNoncurrentVersions: newer}}
	}
	all := days("all/", 1)
	all.Expiration.DeleteAll = true
	e.rules(t, b, noncurrent("nc/", 2, 0), noncurrent("newer/", 0, 2), noncurrent("both/", 2, 1), all, days("cur/", 1),
		lifecycle.Rule{RuleFilter: lifecycle.Filter{Prefix: "marker/"}, Expiration: lifecycle.Expiration{DeleteMarker: true}},
		lifecycle.Rule{RuleFilter: lifecycle.Filter{Prefix: "gone/"}, DelMarkerExpiration: lifecycle.DelMarkerExpiration{Days: 3}},
	)
	for _, prefix := range []string{"nc", "newer", "both", "all", "cur", "gone"} {
		for range 4 {
			e.put(t, b, prefix+"/k", "x")
		}
	}
	alone := e.put(t, b, "marker/alone", "x")
	e.put(t, b, "marker/hides", "x")
	for _, key := range []string{"marker/alone", "marker/hides", "gone/k"} {
		require.NoError(t, e.RemoveObject(ctx, b, key, minio.RemoveObjectOptions{}))
	}
	require.NoError(t, e.RemoveObject(ctx, b, "marker/alone", minio.RemoveObjectOptions{VersionID: alone.VersionID}))
	versions := func(parts ...string) string { return strings.Join(parts, " ") }
	const four = " %/k %/k %/k %/k"
	of := func(prefix string) string { return strings.ReplaceAll(four, "%", prefix)[1:] }
	e.scanAt(t, day)
	require.Equal(t, versions(of("all"), of("both"), of("cur"), "gone/k-", of("gone"), "marker/hides- marker/hides", of("nc"), "newer/k newer/k newer/k"), e.versionsOf(t, b))
	e.scanAt(t, 2*day+time.Minute)
	require.Equal(t, versions(of("both"), "cur/k-", of("cur"), "gone/k-", of("gone"), "marker/hides- marker/hides", of("nc"), "newer/k newer/k newer/k"), e.versionsOf(t, b))
	e.scanAt(t, 4*day+time.Minute)
	require.Equal(t, versions("both/k both/k cur/k-", of("cur"), "marker/hides- marker/hides nc/k newer/k newer/k newer/k"), e.versionsOf(t, b))
	names := func() map[string]int {
		n := map[string]int{}
		for _, ev := range e.in.got() {
			n[ev.EventName+" "+ev.Key]++
		}
		return n
	}
	eventually(t, func() bool { return names()["s3:LifecycleDelMarkerExpiration:Delete uploads/gone/k"] == 1 }, "the end of a deleted key is told once")
	eventually(t, func() bool { return names()["s3:ObjectRemoved:DeleteAllVersions uploads/all/k"] == 1 }, "the end of all versions is told once")
	eventually(t, func() bool { return names()["s3:ObjectRemoved:Delete uploads/nc/k"] == 3 }, "each version is told")
	eventually(t, func() bool { return names()["s3:ObjectRemoved:Delete uploads/cur/k"] == 1 }, "an expiry is told as a removal, as MinIO does, though it is a marker")
}

func TestUploadsAreGivenUp(t *testing.T) {
	t.Parallel()
	e, b := aged(t, false)
	e.rules(t, b, lifecycle.Rule{
		RuleFilter:                     lifecycle.Filter{Prefix: "tmp/"},
		AbortIncompleteMultipartUpload: lifecycle.AbortIncompleteMultipartUpload{DaysAfterInitiation: 1},
	})
	for _, key := range []string{"tmp/a", "keep/a"} {
		_, err := e.core.NewMultipartUpload(t.Context(), b, key, minio.PutObjectOptions{})
		require.NoError(t, err)
	}
	e.scanAt(t, 2*day+time.Minute)
	left, err := e.core.ListMultipartUploads(t.Context(), b, "", "", "", "", 10)
	require.NoError(t, err)
	require.Len(t, left.Uploads, 1)
	require.Equal(t, "keep/a", left.Uploads[0].Key)
}

// The scanner comes by itself, and sleeps for good where there are no rules.
func TestScannerComesByItself(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Options{Dir: dir, NoSync: true, Keys: map[string]Key{testKey: {Secret: testSecret}}, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		require.NoError(t, s.CreateBucket("uploads"))
		b, err := s.st.bucket("uploads")
		require.NoError(t, err)
		st, err := s.st.stage()
		require.NoError(t, err)
		require.NoError(t, st.readFrom(newPayload(strings.NewReader("x"), -1, minio.ChecksumNone)))
		m := &meta{Key: "key", ETag: "e", Modified: s.now()}
		require.NoError(t, s.st.seal(b, st, m))
		require.NoError(t, s.st.put(b, st, m, change{
			check: func(entry, bool) error { return nil }, events: func(*meta) ([]event, error) { return nil, nil },
		}))
		require.False(t, s.scanner.scan(context.Background()))
		synctest.Wait() // for the scan at the start, which has to come before the rules
		c := &lifecycle.Configuration{Rules: []lifecycle.Rule{days("", 1)}}
		c.Rules[0].Status = ruleEnabled
		require.NoError(t, s.st.configure(b, func(conf *bucketConf) { conf.Lifecycle = c }))
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		require.Equal(t, 1, b.index.len(), "nobody has told it of the rules")
		s.scanner.kick()
		synctest.Wait()
		require.Zero(t, b.index.len())
	})
}

// A version that is retained or held stays, whatever the lifecycle says.
func TestLockedVersionsDoNotExpire(t *testing.T) {
	t.Parallel()
	var c clock
	e := start(t, Options{Now: c.now})
	ctx := t.Context()
	require.NoError(t, e.MakeBucket(ctx, "locked", minio.MakeBucketOptions{ObjectLocking: true}))
	e.rules(t, "locked", lifecycle.Rule{NoncurrentVersionExpiration: lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 1}})
	mode, until := minio.Compliance, time.Now().Add(5*day)
	for i := range 3 {
		o := minio.PutObjectOptions{}
		if i == 0 {
			o.Mode, o.RetainUntilDate = mode, until
		}
		_, err := e.PutObject(ctx, "locked", "key", strings.NewReader("x"), 1, o)
		require.NoError(t, err)
	}
	for _, step := range []struct {
		after time.Duration
		left  string
	}{{3 * day, "key key"}, {6 * day, "key"}} {
		c.ahead.Store(int64(step.after))
		require.True(t, e.scanner.scan(ctx))
		c.ahead.Store(0)
		require.Equal(t, step.left, e.versionsOf(t, "locked"))
	}
}
