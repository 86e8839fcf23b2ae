// Package webtest holds the pages of the HTTP services to what all of them
// promise, and drives a page in a real browser. Tests call it.
package webtest

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

// Page is one that web.Page serves.
type Page struct {
	Handler http.Handler
	Static  fs.FS    // what web.Load reads
	IDs     []string // elements that it has to have
	Path    string   // of the API beside it, which the page must not answer for
	Names   []string // addresses that it names and never asks
}

// Check checks how a page is served, and what its files may not contain.
func Check(t *testing.T, p Page) {
	t.Run("index", p.checkIndex)
	t.Run("revalidation", p.checkRevalidation)
	t.Run("refusals", p.checkRefusals)
	t.Run("references", p.checkReferences)
	t.Run("nothing inline, nothing foreign", p.checkContents)
}

func (p Page) ask(method, target string, header http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	p.Handler.ServeHTTP(recorder, request)
	return recorder
}

func (p Page) checkIndex(t *testing.T) {
	answer := p.ask(http.MethodGet, "/", nil)
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	require.Equal(t, "no-cache", answer.Header().Get("Cache-Control"))
	require.Contains(t, answer.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';")
	for _, id := range p.IDs {
		require.Contains(t, answer.Body.String(), `id="`+id+`"`)
	}
}

func (p Page) checkRevalidation(t *testing.T) {
	etag := p.ask(http.MethodGet, "/", nil).Header().Get("ETag")
	require.NotEmpty(t, etag)

	same := p.ask(http.MethodGet, "/", http.Header{"If-None-Match": {etag}})
	require.Equal(t, http.StatusNotModified, same.Code)
	require.Empty(t, same.Body.String())

	other := p.ask(http.MethodGet, "/", http.Header{"If-None-Match": {`"another"`}})
	require.Equal(t, http.StatusOK, other.Code)
}

func (p Page) checkRefusals(t *testing.T) {
	for _, target := range []string{"/index.html", "/assets/", "/assets/index.html", "/assets/none.js", "/static/main.js", p.Path} {
		require.Equal(t, http.StatusNotFound, p.ask(http.MethodGet, target, nil).Code, target)
	}
	post := p.ask(http.MethodPost, "/", nil)
	require.Equal(t, http.StatusMethodNotAllowed, post.Code)
	require.Equal(t, "GET, HEAD", post.Header().Get("Allow"))
}

var (
	reference = regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"`)
	imported  = regexp.MustCompile(`(?m)from "\./([^"]+)"`)
	linked    = regexp.MustCompile(`url\("?([^")]+)"?\)`)
)

// checkReferences checks that every file that the page asks for is served,
// with its type, and that every file that is served is asked for.
func (p Page) checkReferences(t *testing.T) {
	files, wanted := web.Load(p.Static), map[string]bool{}
	for _, file := range files {
		for _, match := range reference.FindAllStringSubmatch(string(file.Data), -1) {
			wanted["/"+match[1]] = true
		}
		for _, pattern := range []*regexp.Regexp{imported, linked} {
			for _, match := range pattern.FindAllStringSubmatch(string(file.Data), -1) {
				wanted["/assets/"+match[1]] = true
			}
		}
	}
	for target := range wanted {
		answer := p.ask(http.MethodGet, target, nil)
		require.Equal(t, http.StatusOK, answer.Code, target)
		require.Equal(t, files[target].ContentType, answer.Header().Get("Content-Type"), target)
	}
	for served := range files {
		require.True(t, served == "/" || wanted[served], "%s is served but nothing asks for it", served)
	}
}

var (
	inline  = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:>|[^>]*[^>]*>[^<])|javascript:`)
	foreign = regexp.MustCompile(`(?i)https?://[^\s"']+`)
	markup  = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|setAttribute\("style"`)
)

// checkContents checks that there is no inline code or style, which the policy
// forbids, no address of another origin, and nothing that makes markup of data.
func (p Page) checkContents(t *testing.T) {
	for at, file := range web.Load(p.Static) {
		text := string(file.Data)
		if path.Ext(at) == "" {
			require.Empty(t, inline.FindString(text), at)
		}
		require.Empty(t, markup.FindString(text), at)
		for _, name := range append([]string{"http://www.w3.org/2000/svg"}, p.Names...) {
			text = strings.ReplaceAll(text, `"`+name+`"`, "")
		}
		require.Empty(t, foreign.FindString(text), at)
	}
}
