package cloudtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// Objects holds a provider against what cloud.Objects promises. Open returns a
// fresh, empty bucket.
func Objects(t *testing.T, open func(t *testing.T) cloud.Objects) {
	test := func(name string, run func(t *testing.T, objects cloud.Objects)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
	put := func(t *testing.T, objects cloud.Objects, key, body string) cloud.ObjectInfo {
		t.Helper()
		info, err := objects.Put(bounded(t), key, strings.NewReader(body), int64(len(body)), cloud.PutOptions{ContentType: "text/plain"})
		require.NoError(t, err, "key %q", key)
		return info
	}
	get := func(t *testing.T, objects cloud.Objects, key string) string {
		t.Helper()
		body, info, err := objects.Get(bounded(t), key)
		require.NoError(t, err, "key %q", key)
		defer body.Close()
		data, err := io.ReadAll(body)
		require.NoError(t, err)
		assert.EqualValues(t, len(data), info.Size)
		return string(data)
	}
	list := func(t *testing.T, objects cloud.Objects, prefix, after string) (keys []string) {
		t.Helper()
		for info, err := range objects.List(bounded(t), prefix, after) {
			require.NoError(t, err)
			keys = append(keys, info.Key)
		}
		return keys
	}

	test("an object goes through its life", func(t *testing.T, objects cloud.Objects) {
		ctx := bounded(t)
		require.NoError(t, objects.Ready(ctx))
		stored := put(t, objects, "a/b.txt", "hello")
		assert.NotEmpty(t, stored.ETag)
		assert.Equal(t, "hello", get(t, objects, "a/b.txt"))
		info, err := objects.Head(ctx, "a/b.txt")
		require.NoError(t, err)
		assert.Equal(t, "text/plain", info.ContentType)
		assert.EqualValues(t, 5, info.Size)
		assert.Equal(t, stored.ETag, info.ETag)
		assert.WithinDuration(t, time.Now(), info.Modified, time.Minute)
		put(t, objects, "a/b.txt", "hello again")
		assert.Equal(t, "hello again", get(t, objects, "a/b.txt"))
		copied, err := objects.Copy(ctx, "a/b.txt", "c.txt")
		require.NoError(t, err)
		assert.Equal(t, "text/plain", copied.ContentType)
		assert.Equal(t, "hello again", get(t, objects, "c.txt"))
		require.NoError(t, objects.Delete(ctx, "a/b.txt"))
		require.NoError(t, objects.Delete(ctx, "a/b.txt"), "deleting twice")
		_, err = objects.Head(ctx, "a/b.txt")
		require.ErrorIs(t, err, cloud.ErrNotFound)
		_, _, err = objects.Get(ctx, "a/b.txt")
		require.ErrorIs(t, err, cloud.ErrNotFound)
		_, err = objects.Copy(ctx, "a/b.txt", "d.txt")
		require.ErrorIs(t, err, cloud.ErrNotFound)
	})

	test("bodies of many sizes", func(t *testing.T, objects cloud.Objects) {
		for _, size := range []int{0, 1, 4096, 64 << 10, 1<<20 + 1, 17<<20 + 3} { // the last goes in parts
			body := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			key := fmt.Sprintf("size-%d", size)
			info, err := objects.Put(bounded(t), key, struct{ io.Reader }{strings.NewReader(body)}, int64(size), cloud.PutOptions{})
			require.NoError(t, err, "size %d", size)
			assert.EqualValues(t, size, info.Size)
			assert.True(t, body == get(t, objects, key), "size %d", size)
		}
	})

	test("a body that is not as long as announced stores nothing", func(t *testing.T, objects cloud.Objects) {
		for name, announced := range map[string]int64{"shorter": 10, "longer": 3} {
			_, err := objects.Put(bounded(t), name, struct{ io.Reader }{strings.NewReader("hello")}, announced, cloud.PutOptions{})
			require.Error(t, err, name)
			_, err = objects.Head(bounded(t), name)
			require.ErrorIs(t, err, cloud.ErrNotFound, name)
		}
		_, err := objects.Put(bounded(t), "negative", strings.NewReader(""), -1, cloud.PutOptions{})
		require.ErrorIs(t, err, cloud.ErrInvalid)
	})

	test("keys of many shapes", func(t *testing.T, objects cloud.Objects) {
		keys := []string{"plain", "with space.jpg", "ünïcode/画像.png", "a+b&c=d?e#f%20", "deep/er/and/deeper", "quote'\"<>", "tail~(1)!*"}
		for _, key := range keys {
			put(t, objects, key, "body of "+key)
		}
		for _, key := range keys {
			assert.Equal(t, "body of "+key, get(t, objects, key))
		}
		assert.ElementsMatch(t, keys, list(t, objects, "", ""))
		for _, key := range []string{"", strings.Repeat("k", 1025)} {
			_, err := objects.Put(bounded(t), key, strings.NewReader(""), 0, cloud.PutOptions{})
			assert.ErrorIs(t, err, cloud.ErrInvalid)
		}
	})

	test("a list is in order, below its prefix and after its key", func(t *testing.T, objects cloud.Objects) {
		for _, key := range []string{"in/b/2", "in/a/1", "in/a/2", "in/ab/1", "out/1", "in/c"} {
			put(t, objects, key, "x")
		}
		assert.Equal(t, []string{"in/a/1", "in/a/2", "in/ab/1", "in/b/2", "in/c"}, list(t, objects, "in/", ""))
		assert.Equal(t, []string{"in/ab/1", "in/b/2", "in/c"}, list(t, objects, "in/", "in/a/2"))
		assert.Equal(t, []string{"in/a/1", "in/a/2"}, list(t, objects, "in/a/", ""))
		assert.Empty(t, list(t, objects, "nothing/", ""))
		var folders []string
		for folder, err := range objects.Folders(bounded(t), "in/") {
			require.NoError(t, err)
			folders = append(folders, folder)
		}
		assert.Equal(t, []string{"in/a/", "in/ab/", "in/b/"}, folders)
		for range objects.List(bounded(t), "", "") { // leaving early is allowed
			break
		}
	})

	test("a conditional put has one winner", func(t *testing.T, objects cloud.Objects) {
		const racers = 8
		var won atomic.Int32
		var group sync.WaitGroup
		for i := range racers {
			group.Go(func() {
				body := fmt.Sprint(i)
				_, err := objects.Put(bounded(t), "raced", strings.NewReader(body), int64(len(body)), cloud.PutOptions{IfAbsent: true})
				if err == nil {
					won.Add(1)
				} else {
					assert.ErrorIs(t, err, cloud.ErrExists)
				}
			})
		}
		group.Wait()
		assert.EqualValues(t, 1, won.Load())
	})

	test("a signed download works as signed", func(t *testing.T, objects cloud.Objects) {
		put(t, objects, "ünï/code.txt", "hello")
		link, err := objects.SignGet(bounded(t), "ünï/code.txt", time.Hour)
		require.NoError(t, err)
		status, body := do(t, http.MethodGet, link, nil, nil)
		assert.Equal(t, http.StatusOK, status, body)
		assert.Equal(t, "hello", body)
		status, _ = do(t, http.MethodGet, strings.Replace(link, "code.txt", "other.txt", 1), nil, nil)
		assert.Equal(t, http.StatusForbidden, status)
		status, _ = do(t, http.MethodDelete, link, nil, nil)
		assert.Equal(t, http.StatusForbidden, status)
		for _, valid := range []time.Duration{0, -time.Second, 8 * 24 * time.Hour} {
			_, err := objects.SignGet(bounded(t), "a", valid)
			assert.ErrorIs(t, err, cloud.ErrInvalid, "%v", valid)
		}
	})

	test("a signed put takes exactly what was granted", func(t *testing.T, objects cloud.Objects) {
		grant := cloud.Grant{Key: "in/a b.txt", Size: 5, ContentType: "text/plain", Expires: time.Now().Add(time.Hour)}
		request, err := objects.SignPut(bounded(t), grant)
		require.NoError(t, err)
		send := func(body, contentType string) int {
			status, _ := do(t, request.Method, request.URL, strings.NewReader(body), map[string]string{"Content-Type": contentType})
			return status
		}
		assert.Equal(t, http.StatusForbidden, send("hell", "text/plain"))
		assert.Equal(t, http.StatusForbidden, send("hello!", "text/plain"))
		assert.Equal(t, http.StatusForbidden, send("hello", "image/png"))
		assert.Empty(t, list(t, objects, "", ""))
		assert.Equal(t, http.StatusOK, send("hello", "text/plain"))
		info, err := objects.Head(bounded(t), grant.Key)
		require.NoError(t, err)
		assert.Equal(t, "text/plain", info.ContentType)
	})

	test("a signed form takes exactly what was granted", func(t *testing.T, objects cloud.Objects) {
		grant := cloud.Grant{Key: "in/画 b.txt", Size: 5, ContentType: "text/plain", Expires: time.Now().Add(time.Hour)}
		form, err := objects.SignPost(bounded(t), grant)
		require.NoError(t, err)
		send := func(body string, change map[string]string) (int, string) {
			var buffer bytes.Buffer
			w := multipart.NewWriter(&buffer)
			for name, value := range form.Fields {
				if changed, ok := change[name]; ok {
					value = changed
				}
				require.NoError(t, w.WriteField(name, value))
			}
			file, err := w.CreateFormFile("file", "b.txt")
			require.NoError(t, err)
			_, err = io.WriteString(file, body)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			return do(t, http.MethodPost, form.URL, &buffer, map[string]string{"Content-Type": w.FormDataContentType()})
		}
		refused := func(body string, change map[string]string) {
			status, answer := send(body, change)
			assert.Contains(t, []int{http.StatusBadRequest, http.StatusForbidden}, status, answer)
		}
		refused("hell", nil)
		refused("hello!", nil)
		refused("hello", map[string]string{"key": "in/other.txt"})
		refused("hello", map[string]string{"Content-Type": "image/png"})
		refused("hello", map[string]string{"x-amz-signature": strings.Repeat("0", 64)})
		assert.Empty(t, list(t, objects, "", ""))
		status, answer := send("hello", nil)
		assert.Equal(t, http.StatusNoContent, status, answer)
		assert.Equal(t, "hello", get(t, objects, grant.Key))
		info, err := objects.Head(bounded(t), grant.Key)
		require.NoError(t, err)
		assert.Equal(t, "text/plain", info.ContentType)
	})

	test("an empty upload can be granted", func(t *testing.T, objects cloud.Objects) {
		grant := cloud.Grant{Key: "empty", Size: 0, ContentType: "text/plain", Expires: time.Now().Add(time.Hour)}
		_, err := objects.SignPost(bounded(t), grant)
		require.NoError(t, err)
		request, err := objects.SignPut(bounded(t), grant)
		require.NoError(t, err)
		status, answer := do(t, request.Method, request.URL, http.NoBody, map[string]string{"Content-Type": "text/plain"})
		assert.Equal(t, http.StatusOK, status, answer)
	})

	test("an ended context ends the call", func(t *testing.T, objects cloud.Objects) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := objects.Head(ctx, "a")
		require.ErrorIs(t, err, context.Canceled)
		_, err = objects.Put(ctx, "a", strings.NewReader("x"), 1, cloud.PutOptions{})
		require.ErrorIs(t, err, context.Canceled)
	})
}

// do sends one plain HTTP request, as a browser without credentials would.
func do(t *testing.T, method, url string, body io.Reader, headers map[string]string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(bounded(t), method, url, body)
	require.NoError(t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	if length, ok := headers["Content-Length"]; ok {
		request.ContentLength, err = strconv.ParseInt(length, 10, 64)
		require.NoError(t, err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(data)
}
