package docker

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "unix:///run/docker.sock", "tcp://127.0.0.1:2375"} {
		_, err := New(address, nil)
		require.NoError(t, err)
	}
	for _, address := range []string{"docker.sock", "http://x", "unix://", "tcp://", ":"} {
		_, err := New(address, nil)
		require.Error(t, err, address)
	}
}

func TestWithoutAnEngine(t *testing.T) {
	t.Parallel()
	d, err := New("unix://"+t.TempDir()+"/none.sock", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	f := d.Fingerprint(t.Context())
	assert.False(t, f.Detected)
	assert.False(t, f.Healthy)
	assert.Equal(t, "Failed to connect to docker daemon", f.Description)
}

func TestSplitImage(t *testing.T) {
	t.Parallel()
	for image, want := range map[string][2]string{
		"redis": {"redis", "latest"}, "redis:7": {"redis", "7"}, "host:5000/a/b": {"host:5000/a/b", "latest"},
		"host:5000/a/b:2": {"host:5000/a/b", "2"}, "a@sha256:00": {"a@sha256:00", ""},
	} {
		repository, tag := splitImage(image)
		assert.Equal(t, want, [2]string{repository, tag})
	}
}

// fakeEngine answers for pulls.
func fakeEngine(t *testing.T, pull http.HandlerFunc) *Driver {
	t.Helper()
	mux := http.NewServeMux()
	pulled := false
	mux.HandleFunc("POST /images/create", func(w http.ResponseWriter, r *http.Request) { pulled = true; pull(w, r) })
	mux.HandleFunc("GET /images/{name}/json", func(w http.ResponseWriter, _ *http.Request) {
		if !pulled {
			http.Error(w, `{"message": "No such image"}`, http.StatusNotFound)
			return
		}
		fmt.Fprint(w, `{"Id": "sha256:1"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d, err := New("tcp://"+strings.TrimPrefix(server.URL, "http://"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

func TestPull(t *testing.T) {
	t.Parallel()
	d := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "fromImage=web&tag=1", r.URL.RawQuery)
		assert.Equal(t, "eyJlbWFpbCI6IiIsInBhc3N3b3JkIjoicCIsInNlcnZlcmFkZHJlc3MiOiIiLCJ1c2VybmFtZSI6InUifQ==", r.Header.Get("X-Registry-Auth"))
		fmt.Fprint(w, `{"status": "Pulling", "id": "l1", "progressDetail": {"current": 1, "total": 2}}{"status": "Pull complete", "id": "l1"}`)
	})
	task := newTask(t, "")
	c := decode(t, `{"image": "web:1", "auth": [{"username": "u", "password": "p"}]}`)
	id, err := d.prepareImage(t.Context(), task.Task, &c)
	require.NoError(t, err)
	assert.Equal(t, "sha256:1", id)
	assert.Equal(t, "Downloading image web:1\n", task.events.String())
	_, err = d.prepareImage(t.Context(), task.Task, &c)
	require.NoError(t, err)
	assert.Equal(t, "Downloading image web:1\n", task.events.String(), "it is there")
	c.ForcePull = true
	_, err = d.prepareImage(t.Context(), task.Task, &c)
	require.NoError(t, err)
	assert.Equal(t, "Downloading image web:1\nDownloading image web:1\n", task.events.String())
}

func TestPullFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer http.HandlerFunc
		want   string
	}{
		{func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"message": "no such host"}`, http.StatusInternalServerError)
		}, "Failed to pull `web`: Error response from daemon: no such host"},
		{func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status": "Pulling"}{"error": "unauthorized"}`)
		}, "Failed to pull `web`: unauthorized"},
	} {
		settings := decode(t, `{"image": "web"}`)
		_, err := fakeEngine(t, c.answer).prepareImage(t.Context(), newTask(t, "").Task, &settings)
		require.EqualError(t, err, c.want)
	}
}

func TestPulling(t *testing.T) {
	t.Parallel()
	p := pulling{layers: map[string]progress{}}
	require.NoError(t, read(strings.NewReader(`{"status": "Pulling from web"}{"id": "a", "status": "Downloading", "progressDetail": {"current": 5, "total": 10}}
		{"id": "b", "status": "Already exists"}`), p.add))
	assert.Equal(t, "1/2 layers, 5/10 bytes", p.String())
}

func TestSplit(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	stream := "\x01\x00\x00\x00\x00\x00\x00\x02ab\x02\x00\x00\x00\x00\x00\x00\x01c\x01\x00\x00\x00\x00\x00\x00\x01d"
	require.NoError(t, split(strings.NewReader(stream), false, &stdout, &stderr))
	assert.Equal(t, "abd", stdout.String())
	assert.Equal(t, "c", stderr.String())
	stdout.Reset()
	require.NoError(t, split(strings.NewReader(stream), true, &stdout, &stderr))
	assert.Equal(t, stream, stdout.String())
	require.ErrorContains(t, split(strings.NewReader("\x07\x00\x00\x00\x00\x00\x00\x01c"), false, &stdout, &stderr), "no stream 7")
	require.Error(t, split(strings.NewReader(stream[:9]), false, &stdout, &stderr))
	require.ErrorIs(t, split(brokenReader{strings.NewReader(stream)}, false, &stdout, &stderr), errGone)
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x02ab"), false)
	f.Add([]byte("\x02\x00\x00\x00\xff\xff\xff\xff"), false)
	f.Fuzz(func(t *testing.T, stream []byte, tty bool) {
		var stdout, stderr bytes.Buffer
		err := split(bytes.NewReader(stream), tty, &stdout, &stderr)
		if stdout.Len()+stderr.Len() > len(stream) {
			t.Fatalf("more comes out than went in: %v", err)
		}
	})
}

func TestPercent(t *testing.T) {
	t.Parallel()
	var before, now sample
	before.CPU.System, before.CPU.Usage.Total = 1000, 10
	now.CPU.System, now.CPU.Usage.Total, now.CPU.Processors = 2000, 510, 2
	assert.InDelta(t, 100, now.percentSince(before), 0.001)
	assert.Zero(t, now.percentSince(sample{}), "nothing was measured before")
	assert.Zero(t, before.percentSince(now))
}
