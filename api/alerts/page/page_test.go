package page

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/web"
)

func get(t *testing.T, method, target string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	Handler().ServeHTTP(recorder, request)
	return recorder
}

func TestIndex(t *testing.T) {
	answer := get(t, http.MethodGet, "/", nil)
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	require.Equal(t, "no-cache", answer.Header().Get("Cache-Control"))
	require.Contains(t, answer.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';")
	for _, id := range []string{"form", "rules", "alerts"} {
		require.Contains(t, answer.Body.String(), `id="`+id+`"`)
	}
}

func TestRevalidation(t *testing.T) {
	etag := get(t, http.MethodGet, "/", nil).Header().Get("ETag")
	require.NotEmpty(t, etag)

	same := get(t, http.MethodGet, "/", http.Header{"If-None-Match": {etag}})
	require.Equal(t, http.StatusNotModified, same.Code)
	require.Empty(t, same.Body.String())

	other := get(t, http.MethodGet, "/", http.Header{"If-None-Match": {`"another"`}})
	require.Equal(t, http.StatusOK, other.Code)
}

func TestRefusals(t *testing.T) {
	for _, target := range []string{"/index.html", "/assets/", "/assets/index.html", "/assets/none.js", "/static/main.js", "/v1/alerts"} {
		require.Equal(t, http.StatusNotFound, get(t, http.MethodGet, target, nil).Code, target)
	}
	post := get(t, http.MethodPost, "/", nil)
	require.Equal(t, http.StatusMethodNotAllowed, post.Code)
	require.Equal(t, "GET, HEAD", post.Header().Get("Allow"))
}

var (
	reference = regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"`)
	imported  = regexp.MustCompile(`(?m)from "\./([^"]+)"`)
	linked    = regexp.MustCompile(`url\("?([^")]+)"?\)`)
)

// Every file that the page asks for is served, with its type, and every file
// that is served is asked for.
func TestReferences(t *testing.T) {
	wanted := map[string]bool{}
	require.NoError(t, fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(static, name)
		for _, match := range reference.FindAllStringSubmatch(string(data), -1) {
			wanted["/"+match[1]] = true
		}
		for _, pattern := range []*regexp.Regexp{imported, linked} {
			for _, match := range pattern.FindAllStringSubmatch(string(data), -1) {
				wanted["/assets/"+match[1]] = true
			}
		}
		return err
	}))
	for target := range wanted {
		answer := get(t, http.MethodGet, target, nil)
		require.Equal(t, http.StatusOK, answer.Code, target)
		require.Equal(t, web.Load(static)[target].ContentType, answer.Header().Get("Content-Type"), target)
	}
	for served := range web.Load(static) {
		require.True(t, served == "/" || wanted[served], "%s is served but nothing asks for it", served)
	}
}

// The policy forbids inline code and styles, and the page asks nobody but its
// own origin; data never becomes markup.
func TestNothingInlineNothingForeign(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:>|[^>]*[^>]*>[^<])|javascript:`)
	foreign := regexp.MustCompile(`(?i)https?://[^\s"']+`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|setAttribute\("style"`)
	for at, file := range web.Load(static) {
		text := string(file.Data)
		if path.Ext(at) == "" {
			require.Empty(t, inline.FindString(text), at)
		}
		require.Empty(t, markup.FindString(text), at)
		text = strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, "")
		text = strings.ReplaceAll(text, `"https://example.com/alerts"`, "") // what a field shows while it is empty
		require.Empty(t, foreign.FindString(text), at)
	}
}
