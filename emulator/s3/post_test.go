package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// form is a browser's upload, with everything that can be got wrong.
type form struct {
	conditions []any
	fields     [][2]string // besides those of the signature
	extra      [][2]string // with no condition
	filename   string
	data       string
	expires    time.Duration
	secret     string
	noFile     bool
}

func (e *endpoint) postForm(t testing.TB, bucket string, f form) reply {
	t.Helper()
	now := time.Now().UTC()
	if f.expires == 0 {
		f.expires = time.Minute
	}
	if f.secret == "" {
		f.secret = testSecret
	}
	cred := credential{testKey, now.Format(scopeDateFormat), "us-east-1", "s3"}
	fields := append([][2]string{
		{"x-amz-algorithm", sigAlgorithm}, {"x-amz-credential", testKey + "/" + cred.scope()}, {"x-amz-date", now.Format(amzDateFormat)},
	}, f.fields...)
	conditions := append([]any{map[string]string{"bucket": bucket}}, f.conditions...)
	for _, kv := range fields[:3] {
		conditions = append(conditions, []string{"eq", "$" + kv[0], kv[1]})
	}
	doc, err := json.Marshal(map[string]any{"expiration": now.Add(f.expires).Format(time.RFC3339), "conditions": conditions})
	require.NoError(t, err)
	policy := base64.StdEncoding.EncodeToString(doc)
	fields = append(fields, [2]string{"policy", policy}, [2]string{"x-amz-signature", hex.EncodeToString(hmacSHA256(cred.signingKey(f.secret), policy))})
	fields = append(fields, f.extra...)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, kv := range fields {
		require.NoError(t, w.WriteField(kv[0], kv[1]))
	}
	if !f.noFile {
		if f.filename == "" {
			f.filename = "cat.png"
		}
		fw, err := w.CreateFormFile("file", f.filename)
		require.NoError(t, err)
		_, err = io.WriteString(fw, f.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return e.do(t, e.request(t, http.MethodPost, "/"+bucket, body.Bytes(), "Content-Type", w.FormDataContentType()))
}

func TestPostPolicyByClient(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	p := minio.NewPostPolicy()
	require.NoError(t, p.SetBucket(b))
	require.NoError(t, p.SetKey("incoming/me/cat.png"))
	require.NoError(t, p.SetExpires(time.Now().Add(time.Minute)))
	require.NoError(t, p.SetContentType("image/png"))
	require.NoError(t, p.SetContentLengthRange(1, 1024))
	require.NoError(t, p.SetUserMetadata("owner", "me"))
	require.NoError(t, p.SetSuccessStatusAction("201"))
	u, fields, err := e.PresignedPostPolicy(t.Context(), p)
	require.NoError(t, err)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range fields {
		require.NoError(t, w.WriteField(k, v))
	}
	fw, err := w.CreateFormFile("file", "x")
	require.NoError(t, err)
	_, _ = fw.Write([]byte("miaow"))
	require.NoError(t, w.Close())
	r := e.do(t, e.request(t, http.MethodPost, u.Path, body.Bytes(), "Content-Type", w.FormDataContentType(), "Origin", "http://page"))
	require.Equal(t, 201, r.status, r.body)
	require.Equal(t, "incoming/me/cat.png", between(r.body, "<Key>", "</Key>"))
	require.Equal(t, "http://page", r.header.Get("Access-Control-Allow-Origin"))
	st, err := e.StatObject(t.Context(), b, "incoming/me/cat.png", minio.StatObjectOptions{})
	require.NoError(t, err)
	require.Equal(t, "image/png", st.ContentType)
	require.Equal(t, "me", st.UserMetadata["Owner"])
}

func TestPostPolicyConditions(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	key := [2]string{"key", "up/cat.png"}
	eqKey := []string{"eq", "$key", "up/cat.png"}
	size := []any{"content-length-range", 2, 8}
	for name, c := range map[string]struct {
		f      form
		status int
		code   string
		says   string
	}{
		"eq":                   {form{conditions: []any{eqKey}, fields: [][2]string{key}, data: "x"}, 204, "", ""},
		"exact object":         {form{conditions: []any{map[string]string{"key": "up/cat.png"}}, fields: [][2]string{key}}, 204, "", ""},
		"starts-with":          {form{conditions: []any{[]string{"starts-with", "$key", "up/"}}, fields: [][2]string{key}}, 204, "", ""},
		"any":                  {form{conditions: []any{[]string{"starts-with", "$key", ""}}, fields: [][2]string{key}}, 204, "", ""},
		"case of names":        {form{conditions: []any{[]string{"EQ", "$KEY", "up/cat.png"}}, fields: [][2]string{{"Key", "up/cat.png"}}}, 204, "", ""},
		"eq fails":             {form{conditions: []any{[]string{"eq", "$key", "other"}}, fields: [][2]string{key}}, 403, "AccessDenied", "Policy Condition failed"},
		"starts-with fails":    {form{conditions: []any{[]string{"starts-with", "$key", "other/"}}, fields: [][2]string{key}}, 403, "AccessDenied", "Policy Condition failed"},
		"field absent":         {form{conditions: []any{eqKey, []string{"eq", "$content-type", "image/png"}}, fields: [][2]string{key}}, 403, "AccessDenied", "Policy Condition failed"},
		"extra field":          {form{conditions: []any{eqKey}, fields: [][2]string{key}, extra: [][2]string{{"Content-Type", "text/html"}}}, 403, "AccessDenied", "not specified in the policy"},
		"extra metadata":       {form{conditions: []any{eqKey}, fields: [][2]string{key}, extra: [][2]string{{"x-amz-meta-a", "b"}}}, 403, "AccessDenied", "not specified in the policy"},
		"ignored field":        {form{conditions: []any{eqKey}, fields: [][2]string{key}, extra: [][2]string{{"x-ignore-me", "b"}}}, 204, "", ""},
		"other bucket":         {form{conditions: []any{eqKey, []string{"eq", "$bucket", "other"}}, fields: [][2]string{key}}, 403, "AccessDenied", "Policy Condition failed"},
		"bucket field differs": {form{conditions: []any{eqKey}, fields: [][2]string{key, {"bucket", "other"}}}, 403, "AccessDenied", "another bucket"},
		"expired":              {form{conditions: []any{eqKey}, fields: [][2]string{key}, expires: -time.Minute}, 403, "AccessDenied", "Policy expired"},
		"wrong secret":         {form{conditions: []any{eqKey}, fields: [][2]string{key}, secret: "x"}, 403, "SignatureDoesNotMatch", ""},
		"size fits":            {form{conditions: []any{eqKey, size}, fields: [][2]string{key}, data: "12345678"}, 204, "", ""},
		"too small":            {form{conditions: []any{eqKey, size}, fields: [][2]string{key}, data: "1"}, 400, "EntityTooSmall", ""},
		"too large":            {form{conditions: []any{eqKey, size}, fields: [][2]string{key}, data: "123456789"}, 400, "EntityTooLarge", ""},
		"far too large":        {form{conditions: []any{eqKey, size}, fields: [][2]string{key}, data: strings.Repeat("x", 3<<20)}, 400, "EntityTooLarge", ""},
		"sizes as strings":     {form{conditions: []any{eqKey, []any{"content-length-range", "2", "8"}}, fields: [][2]string{key}, data: "123"}, 204, "", ""},
		"sizes reversed":       {form{conditions: []any{eqKey, []any{"content-length-range", 8, 2}}, fields: [][2]string{key}, data: "123"}, 400, "InvalidPolicyDocument", ""},
		"unknown operator":     {form{conditions: []any{eqKey, []any{"matches", "$key", "."}}, fields: [][2]string{key}}, 400, "InvalidPolicyDocument", ""},
		"no dollar":            {form{conditions: []any{[]string{"eq", "key", "up/cat.png"}}, fields: [][2]string{key}}, 400, "InvalidPolicyDocument", ""},
		"no key":               {form{}, 400, "MalformedPOSTRequest", ""},
		"no file":              {form{conditions: []any{eqKey}, fields: [][2]string{key}, noFile: true}, 400, "InvalidArgument", ""},
		"field twice":          {form{conditions: []any{eqKey}, fields: [][2]string{key, key}}, 400, "MalformedPOSTRequest", ""},
		"types in a list":      {form{conditions: []any{eqKey, []string{"starts-with", "$content-type", "image/"}}, fields: [][2]string{key, {"content-type", "image/png, text/html"}}}, 403, "AccessDenied", "Policy Condition failed"},
		"tagging":              {form{conditions: []any{eqKey, []string{"starts-with", "$tagging", ""}}, fields: [][2]string{key, {"tagging", "x"}}}, 400, "MalformedXML", ""},
		"tags":                 {form{conditions: []any{eqKey, []string{"starts-with", "$tagging", ""}}, fields: [][2]string{key, {"tagging", string(tagged("a", "1"))}}}, 204, "", ""},
		"checksum":             {form{conditions: []any{eqKey, []string{"starts-with", "$x-amz-checksum-crc32", ""}}, fields: [][2]string{key, {"x-amz-checksum-crc32", "AAAAAA=="}}, data: "x"}, 400, "XAmzContentChecksumMismatch", ""},
		"fields too large":     {form{conditions: []any{eqKey}, fields: [][2]string{key}, extra: manyFields(40)}, 400, "EntityTooLarge", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := e.postForm(t, b, c.f)
			require.Equal(t, c.status, r.status, r.body)
			ok := r.status < 300
			if !ok {
				require.Equal(t, c.code, r.code(t), r.body)
				require.Contains(t, r.body, c.says)
			}
			h := e.signed(t, http.MethodHead, "/"+b+"/up/cat.png", nil)
			require.Equal(t, ok, h.status == 200)
			require.Equal(t, 204, e.signed(t, http.MethodDelete, "/"+b+"/up/cat.png", nil).status)
			require.Empty(t, tmpFiles(t, e))
		})
	}
}

func manyFields(n int) (fields [][2]string) {
	for i := range n {
		fields = append(fields, [2]string{fmt.Sprintf("x-ignore-%d", i), strings.Repeat("x", 32<<10)})
	}
	return fields
}

func TestPostAnswers(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	anyKey := []any{[]string{"starts-with", "$key", ""}, []string{"starts-with", "$success_action_status", ""}, []string{"starts-with", "$success_action_redirect", ""}}
	post := func(k string, more ...[2]string) reply {
		return e.postForm(t, b, form{conditions: anyKey, fields: append([][2]string{{"key", k}}, more...), filename: "my cat.png", data: "x"})
	}
	require.Equal(t, 204, post("a").status)
	require.Equal(t, 200, post("a", [2]string{"success_action_status", "200"}).status)
	require.Equal(t, 204, post("a", [2]string{"success_action_status", "302"}).status)
	r := post("dir/${filename}", [2]string{"success_action_status", "201"})
	require.Equal(t, 201, r.status)
	require.Equal(t, "dir/my cat.png", between(r.body, "<Key>", "</Key>"))
	require.Equal(t, "x", e.read(t, b, "dir/my cat.png"))
	r = post("a", [2]string{"success_action_redirect", "https://shop/done?x=1"})
	require.Equal(t, 303, r.status)
	u, err := url.Parse(r.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "shop", u.Host)
	require.Equal(t, "1", u.Query().Get("x"))
	require.Equal(t, "a", u.Query().Get("key"))
	require.Equal(t, 204, post("a", [2]string{"success_action_redirect", "javascript:alert(1)"}).status)
}

func TestPostNotAForm(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	r := e.do(t, e.request(t, http.MethodPost, "/"+b, []byte("x"), "Content-Type", "multipart/form-data"))
	require.Equal(t, "MalformedPOSTRequest", r.code(t))
	r = e.do(t, e.request(t, http.MethodPost, "/"+b, []byte("no boundary in here"), "Content-Type", "multipart/form-data; boundary=b"))
	require.Equal(t, 400, r.status)
	r = e.do(t, e.request(t, http.MethodPost, "/"+b, []byte("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n"), "Content-Type", "multipart/form-data; boundary=b"))
	require.Equal(t, "AccessDenied", r.code(t))
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"expiration":"2030-01-01T00:00:00Z","conditions":[["eq","$key","a"],{"bucket":"b"},["content-length-range",1,2]]}`)
	f.Add(`{"expiration":"","conditions":[[1,2,3],null,{}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := parsePolicy(base64.StdEncoding.EncodeToString([]byte(doc)))
		if err != nil {
			return
		}
		if p.min < 0 {
			t.Fatal("a size below zero")
		}
		_ = p.check(map[string]string{"key": "a"}, time.Now())
		if len(p.conditions) == 0 && p.check(map[string]string{"key": "a"}, time.Time{}) == nil {
			t.Fatal("an uncovered field passed")
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nx\r\n--b--\r\n")
	f.Add("--b\r\n\r\n--b--")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := readForm("multipart/form-data; boundary=b", strings.NewReader(body))
		if err != nil {
			if toAPIError(err).status >= 500 {
				t.Fatal(err)
			}
			return
		}
		n, _ := io.Copy(io.Discard, &rangeReader{r: form.file, max: 3})
		if n > 3 {
			t.Fatal("bytes over the limit")
		}
	})
}
