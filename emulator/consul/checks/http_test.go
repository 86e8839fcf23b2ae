package checks

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestHTTPStatus(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.URL.Path[1:])
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "hello\n")
	}))
	defer server.Close()
	for path, want := range map[string]Result{
		"/200": passing("200 OK Output: hello\n"),
		"/204": passing("204 No Content Output: "),
		"/302": critical("302 Found Output: hello\n"),
		"/404": critical("404 Not Found Output: hello\n"),
		"/429": warning("429 Too Many Requests Output: hello\n"),
		"/503": critical("503 Service Unavailable Output: hello\n"),
	} {
		url := server.URL + path
		want.Output = "HTTP GET " + url + ": " + want.Output
		got := ask(t, Definition{HTTP: url, DisableRedirects: true})
		assert.Equal(t, want, got)
	}
}

func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.Equal(t, "{}", string(body))
		requests <- r
	}))
	defer server.Close()
	ask(t, Definition{
		HTTP: server.URL + "/x?y=z", Method: "POST", Body: "{}",
		Header: map[string][]string{"host": {"a.example"}, "X-Many": {"1", "2"}, "Accept": {"application/json"}},
	})
	got := <-requests
	assert.Equal(t, "POST", got.Method)
	assert.Equal(t, "/x?y=z", got.RequestURI)
	assert.Equal(t, "a.example", got.Host)
	assert.Equal(t, "Consul Health Check", got.UserAgent())
	assert.Equal(t, []string{"1", "2"}, got.Header["X-Many"])
	assert.Equal(t, []string{"application/json"}, got.Header["Accept"])
}

func TestHTTPRedirects(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("Location", "/ok")
			w.WriteHeader(http.StatusFound)
		}
	}))
	defer server.Close()
	followed := ask(t, Definition{HTTP: server.URL})
	assert.Equal(t, passing("HTTP GET "+server.URL+": 200 OK Output: "), followed)
	stopped := ask(t, Definition{HTTP: server.URL, DisableRedirects: true})
	assert.Equal(t, critical("HTTP GET "+server.URL+": 302 Found Output: "), stopped)
}

func TestHTTPCapsOutput(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10000))
	}))
	defer server.Close()
	for limit, want := range map[int]int{0: 4096, 100: 100, 9000: 4096} {
		got := ask(t, Definition{HTTP: server.URL, OutputMaxSize: limit})
		assert.Equal(t, passing("HTTP GET "+server.URL+": 200 OK Output: "+strings.Repeat("x", want)), got)
	}
}

func TestHTTPFailures(t *testing.T) {
	t.Parallel()
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	secure := "https://" + serveTLS(t, false)
	for name, c := range map[string]struct {
		d    Definition
		want string
	}{
		"refused":    {Definition{HTTP: "http://127.0.0.1:1/x"}, `Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused`},
		"URL":        {Definition{HTTP: "::bad url"}, `parse "::bad url": missing protocol scheme`},
		"method":     {Definition{HTTP: slow.URL, Method: "FOO BAR"}, `net/http: invalid method "FOO BAR"`},
		"scheme":     {Definition{HTTP: "ftp://127.0.0.1:1"}, `Get "ftp://127.0.0.1:1": unsupported protocol scheme "ftp"`},
		"slow":       {Definition{HTTP: slow.URL, Timeout: 10 * time.Millisecond}, `Get "` + slow.URL + `": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`},
		"authority":  {Definition{HTTP: secure}, `Get "` + secure + `": tls: failed to verify certificate: x509: certificate signed by unknown authority`},
		"name":       {Definition{HTTP: secure, TLSServerName: "foo.bar"}, `Get "` + secure + `": tls: failed to verify certificate: x509: certificate is valid for example.com, *.example.com, not foo.bar`},
		"unverified": {Definition{HTTP: secure, TLSSkipVerify: true}, "HTTP GET " + secure + ": 404 Not Found Output: 404 page not found\n"},
	} {
		assert.Equal(t, critical(c.want), ask(t, c.d), name)
	}
}
