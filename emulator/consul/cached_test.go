package consul

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// askCached asks with a Cache-Control, which may be empty.
func askCached(t *testing.T, c *Consul, path, control string) (int, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL("dc1")+path, nil)
	require.NoError(t, err)
	if control != "" {
		r.Header.Set("Cache-Control", control)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode, answer.Header
}

func TestTheAgentsCache(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for _, test := range []struct{ path, control, cache, age string }{
		{"/v1/catalog/service/web", "", "", ""},
		{"/v1/catalog/service/web?cached", "", "MISS", ""},
		{"/v1/catalog/service/web?cached", "", "HIT", "0"},
		{"/v1/catalog/service/web?cached", "must-revalidate", "HIT", "0"},
		{"/v1/catalog/service/web?cached", "max-age=0", "HIT", "0"},
		{"/v1/catalog/service/web?cached&tag=x", "", "MISS", ""},
		{"/v1/health/service/web?cached", "", "MISS", ""},
		{"/v1/catalog/datacenters?cached", "", "MISS", ""},
		{"/v1/catalog/datacenters?cached", "max-age=1000, stale-if-error=5", "HIT", "0"},
		{"/v1/catalog/datacenters?cached", "max-age=0", "MISS", ""},
		{"/v1/catalog/datacenters?cached", "must-revalidate", "MISS", ""},
		{"/v1/catalog/datacenters?cached", "no-cache", "HIT", "0"},
		{"/v1/catalog/nodes?cached", "", "", ""},
	} {
		status, header := askCached(t, c, test.path, test.control)
		assert.Equal(t, http.StatusOK, status, test)
		assert.Equal(t, test.cache, header.Get("X-Cache"), test)
		assert.Equal(t, test.age, header.Get("Age"), test)
	}
	for _, control := range []string{"max-age=x", "stale-if-error=-1"} {
		status, _ := askCached(t, c, "/v1/catalog/services", control)
		assert.Equal(t, http.StatusBadRequest, status, control)
	}
}

func TestTheCacheForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cache answerCache
		cache.keep("a", 1)
		time.Sleep(cacheTTL - time.Second)
		_, ok := cache.find("a")
		assert.True(t, ok)
		time.Sleep(time.Second)
		_, ok = cache.find("a")
		assert.False(t, ok)
	})
	var cache answerCache
	for i := range maxCached + 1 {
		cache.keep(strconv.Itoa(i), i)
	}
	assert.Len(t, cache.entries, 1)
}
