package s3

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// lockable is bucketed with object lock, and a clock that can be put forward.
func lockable(t testing.TB) (e *endpoint, b string, forward func(time.Duration)) {
	t.Helper()
	var ahead atomic.Int64
	e = start(t, Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	require.NoError(t, e.MakeBucket(t.Context(), "locked", minio.MakeBucketOptions{ObjectLocking: true}))
	return e, "locked", func(d time.Duration) { ahead.Add(int64(d)) }
}

func retentionBody(mode string, until time.Time) []byte {
	return fmt.Appendf(nil, "<Retention><Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate></Retention>", mode, until.UTC().Format(time.RFC3339))
}

func lockBody(rule string) []byte {
	return []byte("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>" + rule + "</ObjectLockConfiguration>")
}

func defaultRule(s string) string {
	return "<Rule><DefaultRetention>" + s + "</DefaultRetention></Rule>"
}

func TestObjectLockOfBucket(t *testing.T) {
	t.Parallel()
	e, b, _ := lockable(t)
	require.NoError(t, e.CreateBucket("plain"))
	require.Contains(t, e.signed(t, "GET", "/"+b+"?versioning", nil).body, "Enabled")
	require.Equal(t, "InvalidBucketState", codeOf(e.SuspendVersioning(t.Context(), b)))
	require.Contains(t, e.signed(t, "GET", "/"+b+"?object-lock", nil).body, "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLock")
	require.Equal(t, "ObjectLockConfigurationNotFoundError", e.signed(t, "GET", "/plain?object-lock", nil).code(t))
	require.Equal(t, "InvalidBucketState", e.signed(t, "PUT", "/plain?object-lock", lockBody("")).code(t))
	require.Equal(t, "InvalidRequest", e.signed(t, "PUT", "/other", nil, headerLockBucket, "x").code(t))

	for rule, want := range map[string]string{
		"<Mode>x</Mode><Days>1</Days>":                               "unknown retention mode x",
		"<Mode>COMPLIANCE</Mode>":                                    "either Days or Years must be specified",
		"<Mode>COMPLIANCE</Mode><Days>1</Days><Years>1</Years>":      "not both",
		"<Mode>COMPLIANCE</Mode><Days>0</Days>":                      "positive integer",
		"<Mode>COMPLIANCE</Mode><Days>-1</Days>":                     "invalid syntax",
		"<Mode>COMPLIANCE</Mode><Days>36501</Days>":                  "too large for &#39;Days&#39; 36501",
		"<Mode>COMPLIANCE</Mode><Years>101</Years>":                  "too large for &#39;Years&#39; 101",
		"<Mode>COMPLIANCE</Mode><Years>9999999999999999999</Years>>": "out of range",
	} {
		r := e.signed(t, "PUT", "/"+b+"?object-lock", lockBody(defaultRule(rule)))
		require.Equal(t, "InvalidArgument", r.code(t), rule)
		require.Contains(t, r.body, want)
	}
	require.Equal(t, "InvalidArgument", e.signed(t, "PUT", "/"+b+"?object-lock", []byte("<ObjectLockConfiguration/>")).code(t))

	mode, days, unit := minio.Governance, uint(2), minio.Days
	require.NoError(t, e.SetBucketObjectLockConfig(t.Context(), b, &mode, &days, &unit))
	gotMode, gotDays, gotUnit, err := e.GetBucketObjectLockConfig(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, []any{mode, days, unit}, []any{*gotMode, *gotDays, *gotUnit})
	e.put(t, b, "key", "x")
	gotMode, until, err := e.GetObjectRetention(t.Context(), b, "key", "")
	require.NoError(t, err)
	require.Equal(t, mode, *gotMode)
	require.WithinDuration(t, time.Now().Add(48*time.Hour), *until, time.Minute)
}

func TestRetention(t *testing.T) {
	t.Parallel()
	e, b, forward := lockable(t)
	version := e.put(t, b, "key", "x").VersionID
	in := func(d time.Duration) time.Time { return e.now().Add(d) }
	try := func(body []byte, bypass string) string {
		r := e.signed(t, "PUT", "/"+b+"/key?retention", body, headerBypass, bypass)
		if r.status == http.StatusOK {
			return ""
		}
		return r.code(t)
	}
	remove := func(bypass string) int {
		return e.signed(t, "DELETE", "/"+b+"/key?versionId="+version, nil, headerBypass, bypass).status
	}
	require.Equal(t, "NoSuchObjectLockConfiguration", e.signed(t, "GET", "/"+b+"/key?retention", nil).code(t))
	for body, want := range map[string]string{
		"":                                       "MalformedXML",
		"<x/>":                                   "MalformedXML",
		"<Retention><Mode>x</Mode></Retention>":  "MalformedXML",
		string(retentionBody("x", in(1e12))):     "MalformedXML",
		string(retentionBody(governance, in(0))): "MalformedXML",
	} {
		require.Equal(t, want, try([]byte(body), "true"), body)
	}

	require.Empty(t, try(retentionBody(governance, in(2*time.Hour)), ""))
	require.Equal(t, governance, e.signed(t, "HEAD", "/"+b+"/key", nil).header.Get(headerLockMode))
	require.Contains(t, e.signed(t, "GET", "/"+b+"/key?retention", nil).body, "<Mode>GOVERNANCE</Mode><RetainUntilDate>2")
	require.Equal(t, http.StatusBadRequest, remove(""))
	require.Equal(t, "InvalidRequest", try(retentionBody(governance, in(time.Hour)), ""), "it cannot be shortened")
	require.Equal(t, "InvalidRequest", try(retentionBody(compliance, in(3*time.Hour)), ""))
	require.Equal(t, "InvalidRequest", try([]byte("<Retention/>"), ""))
	require.Empty(t, try(retentionBody(governance, in(3*time.Hour)), ""), "it can be extended")
	require.Empty(t, try([]byte("<Retention/>"), "true"))
	require.Equal(t, "NoSuchObjectLockConfiguration", e.signed(t, "GET", "/"+b+"/key?retention", nil).code(t))

	require.Empty(t, try(retentionBody(compliance, in(time.Hour)), ""))
	require.Equal(t, http.StatusBadRequest, remove("true"))
	for _, body := range [][]byte{retentionBody(compliance, in(time.Minute)), retentionBody(governance, in(5*time.Hour)), []byte("<Retention/>")} {
		require.Equal(t, "InvalidRequest", try(body, "true"))
	}
	require.Empty(t, try(retentionBody(compliance, in(2*time.Hour)), ""))
	require.NoError(t, e.RemoveObject(t.Context(), b, "key", minio.RemoveObjectOptions{}), "a marker hides it")
	forward(3 * time.Hour)
	require.Equal(t, http.StatusNoContent, remove(""), "its time is over")
	require.Equal(t, "NoSuchKey", try(retentionBody(compliance, in(time.Hour)), ""))
}

func TestLegalHold(t *testing.T) {
	t.Parallel()
	e, b, _ := lockable(t)
	version := e.put(t, b, "key", "x").VersionID
	require.Equal(t, "NoSuchObjectLockConfiguration", e.signed(t, "GET", "/"+b+"/key?legal-hold", nil).code(t))
	for _, body := range []string{"", "<x/>", "<LegalHold><Status>on</Status></LegalHold>"} {
		require.Equal(t, "MalformedXML", e.signed(t, "PUT", "/"+b+"/key?legal-hold", []byte(body)).code(t))
	}
	on, off := minio.LegalHoldEnabled, minio.LegalHoldDisabled
	require.NoError(t, e.PutObjectLegalHold(t.Context(), b, "key", minio.PutObjectLegalHoldOptions{Status: &on}))
	require.Equal(t, "ON", e.signed(t, "HEAD", "/"+b+"/key", nil).header.Get(headerLegalHold))
	body := "<Delete><Object><Key>key</Key><VersionId>" + version + "</VersionId></Object><Object><Key>other</Key></Object></Delete>"
	r := e.deleteMany(t, "/"+b, body, headerBypass, "true")
	require.Contains(t, r.body, "<Error><Code>InvalidRequest</Code><Message>Object is WORM protected and cannot be overwritten</Message><Key>key</Key>")
	require.Contains(t, r.body, "<Key>other</Key></Deleted>", "the others go on")
	require.NoError(t, e.PutObjectLegalHold(t.Context(), b, "key", minio.PutObjectLegalHoldOptions{Status: &off}))
	got, err := e.GetObjectLegalHold(t.Context(), b, "key", minio.GetObjectLegalHoldOptions{})
	require.NoError(t, err)
	require.Equal(t, off, *got)
	require.NoError(t, e.RemoveObject(t.Context(), b, "key", minio.RemoveObjectOptions{VersionID: version}))
}

func TestLockOfNewObjects(t *testing.T) {
	t.Parallel()
	e, b, _ := lockable(t)
	require.NoError(t, e.CreateBucket("plain"))
	until := e.now().Add(time.Hour).UTC().Format(time.RFC3339)
	all := []string{headerLockMode, "GOVERNANCE", headerLockUntil, until, headerLegalHold, "ON"}
	require.Equal(t, http.StatusOK, e.signed(t, "PUT", "/"+b+"/key", []byte("x"), all...).status)
	h := e.signed(t, "HEAD", "/"+b+"/key", nil).header
	require.Equal(t, []string{"GOVERNANCE", strings.TrimSuffix(until, "Z") + ".000Z", "ON"}, []string{h.Get(headerLockMode), h.Get(headerLockUntil), h.Get(headerLegalHold)})
	require.Equal(t, http.StatusOK, e.signed(t, "PUT", "/"+b+"/copy", nil, "X-Amz-Copy-Source", b+"/key").status)
	require.Empty(t, e.signed(t, "HEAD", "/"+b+"/copy", nil).header.Get(headerLockMode), "a lock is not copied")
	for _, path := range []string{"/plain/key", "/plain/key?uploads"} {
		method := map[bool]string{true: "POST", false: "PUT"}[strings.HasSuffix(path, "uploads")]
		require.Contains(t, e.signed(t, method, path, nil, all...).body, "Bucket is missing ObjectLockConfiguration")
	}
	for want, header := range map[string][]string{
		"must both be supplied":      {headerLockMode, "GOVERNANCE"},
		"unknown wormMode directive": {headerLockMode, "x", headerLockUntil, until},
		"must be in the future":      {headerLockMode, "COMPLIANCE", headerLockUntil, "2020-01-01T00:00:00Z"},
		"ISO 8601":                   {headerLockMode, "COMPLIANCE", headerLockUntil, "soon"},
	} {
		require.Contains(t, e.signed(t, "PUT", "/"+b+"/key", nil, header...).body, want)
	}
	require.Equal(t, "InvalidRequest", e.signed(t, "GET", "/plain/key?retention", nil).code(t))
	require.Equal(t, "InvalidRequest", e.signed(t, "GET", "/plain/key?legal-hold", nil).code(t))
}

func TestForceDelete(t *testing.T) {
	t.Parallel()
	e, b, _ := lockable(t)
	e.put(t, b, "key", "x")
	force := minio.RemoveBucketOptions{ForceDelete: true}
	require.Equal(t, "MethodNotAllowed", codeOf(e.RemoveBucketWithOptions(t.Context(), b, force)), "what may be locked stays")
	require.Equal(t, "XMinioAdminInvalidArgument", e.signed(t, "DELETE", "/"+b+"/key", nil, headerForceDelete, "true").code(t))

	require.NoError(t, e.CreateBucket("plain"))
	require.NoError(t, e.EnableVersioning(t.Context(), "plain"))
	for _, key := range []string{"a", "a/b", "a/b", "a/c/d", "ab", "b"} {
		e.put(t, "plain", key, key)
	}
	require.NoError(t, e.RemoveObject(t.Context(), "plain", "a/b", minio.RemoveObjectOptions{}))
	require.NoError(t, e.RemoveObject(t.Context(), "plain", "a/", minio.RemoveObjectOptions{ForceDelete: true}))
	require.Equal(t, []string{"a a*", "ab ab*", "b b*"}, e.history(t, "plain", ""))
	e.put(t, "plain", "a/b", "x")
	require.NoError(t, e.RemoveObject(t.Context(), "plain", "a", minio.RemoveObjectOptions{ForceDelete: true}))
	require.Equal(t, []string{"ab ab*", "b b*"}, e.history(t, "plain", ""))
	require.Equal(t, "BucketNotEmpty", codeOf(e.RemoveBucket(t.Context(), "plain")))
	require.NoError(t, e.RemoveBucketWithOptions(t.Context(), "plain", force))
	require.Equal(t, "NoSuchBucket", e.signed(t, "GET", "/plain", nil).code(t))
	require.NoError(t, e.CreateBucket("plain"))
	require.Empty(t, e.history(t, "plain", ""))
}
