package s3

import (
	"net/http"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/stretchr/testify/require"
)

func TestCORSOfEndpoint(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{CORSOrigins: []string{"https://shop", "https://*.dev"}})
	_, err := e.PutObject(t.Context(), b, "key", http.NoBody, 0, minio.PutObjectOptions{UserMetadata: map[string]string{"Owner": "me"}})
	require.NoError(t, err)
	ask := func(origin string) reply {
		return e.do(t, e.request(t, http.MethodOptions, "/"+b+"/key", nil, "Origin", origin,
			"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "content-type, x-amz-meta-owner"))
	}
	r := ask("https://a.dev")
	require.Equal(t, 204, r.status)
	require.Equal(t, "true", r.header.Get("Access-Control-Allow-Credentials"))
	require.Equal(t, "https://a.dev", r.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, r.header.Get("Access-Control-Allow-Methods"), "PUT")
	require.Equal(t, "content-type, x-amz-meta-owner", r.header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, r.header.Values("Vary"), "Origin")
	r = ask("https://evil")
	require.Equal(t, 403, r.status)
	require.Equal(t, "AccessForbidden", r.code(t))
	require.Empty(t, r.header.Get("Access-Control-Allow-Origin"))

	r = e.signed(t, http.MethodGet, "/"+b+"/key", nil, "Origin", "https://shop")
	require.Equal(t, "https://shop", r.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, r.header.Get("Access-Control-Expose-Headers"), "ETag")
	require.Contains(t, r.header.Get("Access-Control-Expose-Headers"), "x-amz-meta-owner")
	r = e.do(t, e.request(t, http.MethodGet, "/"+b+"/key", nil, "Origin", "https://shop"))
	require.Equal(t, 403, r.status, "no signature")
	require.Equal(t, "https://shop", r.header.Get("Access-Control-Allow-Origin"), "a page can read the error")
	r = e.do(t, e.request(t, http.MethodOptions, "/"+b+"/key", nil))
	require.Equal(t, 400, r.status)
}

func TestCORSOfBucket(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	none, err := e.GetBucketCors(ctx, b)
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, e.SetBucketCors(ctx, b, cors.NewConfig([]cors.Rule{
		{AllowedOrigin: []string{"https://shop"}, AllowedMethod: []string{"PUT"}, AllowedHeader: []string{"x-amz-*"}, ExposeHeader: []string{"ETag"}, MaxAgeSeconds: 5},
		{AllowedOrigin: []string{"*"}, AllowedMethod: []string{"GET"}},
	})))
	got, err := e.GetBucketCors(ctx, b)
	require.NoError(t, err)
	require.Len(t, got.CORSRules, 2)
	require.Equal(t, 5, got.CORSRules[0].MaxAgeSeconds)
	for _, c := range []struct {
		origin, method, headers string
		status                  int
		allow                   string
	}{
		{"https://shop", "PUT", "X-Amz-Date", 200, "https://shop"},
		{"https://shop", "PUT", "authorization", 403, ""},
		{"https://shop", "GET", "", 200, "*"},
		{"https://other", "PUT", "", 403, ""},
		{"https://shop", "DELETE", "", 403, ""},
	} {
		header := []string{"Origin", c.origin, "Access-Control-Request-Method", c.method}
		if c.headers != "" {
			header = append(header, "Access-Control-Request-Headers", c.headers)
		}
		r := e.do(t, e.request(t, http.MethodOptions, "/"+b+"/key", nil, header...))
		require.Equal(t, c.status, r.status, c)
		require.Equal(t, c.allow, r.header.Get("Access-Control-Allow-Origin"), c)
	}
	r := e.signed(t, http.MethodPut, "/"+b+"/key", []byte("x"), "Origin", "https://shop")
	require.Equal(t, "https://shop", r.header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "ETag", r.header.Get("Access-Control-Expose-Headers"))
	r = e.signed(t, http.MethodPut, "/"+b+"?cors", []byte(`<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod></CORSRule></CORSConfiguration>`))
	require.Equal(t, "InvalidRequest", r.code(t))
	r = e.signed(t, http.MethodPut, "/"+b+"?cors", []byte(`<CORSConfiguration></CORSConfiguration>`))
	require.Equal(t, "MalformedXML", r.code(t))
	require.NoError(t, e.SetBucketCors(ctx, b, nil))
	require.Equal(t, "NoSuchCORSConfiguration", e.signed(t, http.MethodGet, "/"+b+"?cors", nil).code(t))
}
