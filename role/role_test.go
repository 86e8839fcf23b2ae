package role_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/role"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is a buffer that the role writes while the test reads.
type output struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.Write(p)
}

// address finds where the role says that it listens.
func (o *output) address() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	decoder := json.NewDecoder(bytes.NewReader(o.data.Bytes()))
	for {
		var line struct{ Address string }
		if decoder.Decode(&line) != nil {
			return ""
		}
		if line.Address != "" {
			return line.Address
		}
	}
}

type running struct {
	base  string
	stop  context.CancelFunc
	ended chan error
}

func start(t *testing.T, o role.Options) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	log := &output{}
	o.Name, o.Listen, o.Drain, o.Registry, o.Logger = "test", "127.0.0.1:0", 10*time.Second, role.Registry(), role.Logger(log, "test")
	if o.Ready == nil {
		o.Ready = role.AllReady()
	}
	ended := make(chan error, 1)
	go func() { ended <- role.Run(ctx, o) }()
	require.Eventually(t, func() bool { return log.address() != "" }, time.Minute, time.Millisecond)
	return running{base: "http://" + log.address(), stop: cancel, ended: ended}
}

func (r running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(r.base + path)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestItIsReadyOnceItHasBegun(t *testing.T) {
	t.Parallel()
	var begun role.Begun
	r := start(t, role.Options{Ready: role.AllReady(&begun)})
	status, said := r.get(t, "/health/ready")
	require.Equal(t, http.StatusServiceUnavailable, status, said)
	begun.Begin()
	status, said = r.get(t, "/health/ready")
	require.Equal(t, http.StatusOK, status, said)
}

func TestItAnswersForItsHealth(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	r := start(t, role.Options{Ready: func(context.Context) error {
		if away.Load() {
			return errors.New("the store is away")
		}
		return nil
	}})
	status, body := r.get(t, "/health/ready")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "ready\n", body)
	away.Store(true)
	status, body = r.get(t, "/health/ready")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, body, "the store is away")
	status, _ = r.get(t, "/health/live")
	assert.Equal(t, http.StatusOK, status)
	_, body = r.get(t, "/metrics")
	assert.Contains(t, body, "go_goroutines")
	r.stop()
	require.NoError(t, <-r.ended)
}

func TestItLetsRequestsAndWorkFinish(t *testing.T) {
	t.Parallel()
	begun, drained := make(chan struct{}), make(chan struct{})
	r := start(t, role.Options{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-drained
			io.WriteString(w, "finished")
		}),
		Work: func(ctx context.Context) error {
			<-ctx.Done()
			close(drained)
			return nil
		},
	})
	answer := make(chan string)
	go func() {
		_, body := r.get(t, "/slow")
		answer <- body
	}()
	<-begun
	r.stop()
	assert.Equal(t, "finished", <-answer)
	require.NoError(t, <-r.ended)
}

// While it drains, whoever asks hears that it is live and not ready, and is not refused.
func TestItIsNotReadyWhileItDrains(t *testing.T) {
	t.Parallel()
	stopping, drained := make(chan struct{}), make(chan struct{})
	r := start(t, role.Options{Work: func(ctx context.Context) error {
		<-ctx.Done()
		close(stopping)
		<-drained
		return nil
	}})
	status, _ := r.get(t, "/health/ready")
	require.Equal(t, http.StatusOK, status)
	r.stop()
	<-stopping
	status, body := r.get(t, "/health/ready")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "draining\n", body)
	status, _ = r.get(t, "/health/live")
	assert.Equal(t, http.StatusOK, status)
	close(drained)
	require.NoError(t, <-r.ended)
}

func TestStreamsEndWithTheRole(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	r := start(t, role.Options{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})})
	go r.get(t, "/stream")
	<-begun
	r.stop()
	require.NoError(t, <-r.ended)
}

func TestFailingWorkEndsTheRole(t *testing.T) {
	t.Parallel()
	fail := make(chan struct{})
	r := start(t, role.Options{Work: func(context.Context) error {
		<-fail
		return errors.New("cannot subscribe")
	}})
	close(fail)
	require.EqualError(t, <-r.ended, "run role test: cannot subscribe")
}

func TestATakenAddressIsAnError(t *testing.T) {
	t.Parallel()
	r := start(t, role.Options{})
	err := role.Run(context.Background(), role.Options{Name: "second", Listen: r.base[len("http://"):]})
	require.ErrorContains(t, err, "DRYDOCK_LISTEN=127.0.0.1:")
	r.stop()
	require.NoError(t, <-r.ended)
}
