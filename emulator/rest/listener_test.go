package rest_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T, address string, handler http.Handler) *rest.Listener {
	t.Helper()
	l, err := rest.Listen(address, nil, handler, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return l
}

// asked is what a listener answers.
func asked(t *testing.T, l *rest.Listener) string {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	url := l.URL()
	if path, is := strings.CutPrefix(url, "unix://"); is {
		url = "http://socket"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
	}
	answer, err := (&http.Client{Transport: transport}).Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}

func TestAListenerServesItsAddress(t *testing.T) {
	t.Parallel()
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	socket := "unix://" + filepath.Join(t.TempDir(), "socket")
	for _, address := range []string{"127.0.0.1:0", socket, socket} { // a socket that is left is taken over
		l := listen(t, address, hello)
		l.Serve()
		assert.Equal(t, "hello", asked(t, l))
		if address == socket {
			_, err := rest.Listen(address, nil, hello, slog.New(slog.DiscardHandler))
			assert.ErrorContains(t, err, "another program serves "+socket)
		} else {
			assert.Equal(t, "http://"+l.Address(), l.URL())
		}
		require.NoError(t, l.Close())
	}
}

func TestAnAddressIsTakenOnce(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0", http.NotFoundHandler())
	_, err := rest.Listen(l.Address(), nil, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	assert.ErrorContains(t, err, "listen for the HTTP API")
	require.NoError(t, l.Close(), "it has not served anybody")
}

func TestClosingEndsWhoWaits(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{})
	l := listen(t, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(waiting)
		<-r.Context().Done()
		io.WriteString(w, "ended")
	}))
	l.Serve()
	answered := make(chan string, 1)
	go func() { answered <- asked(t, l) }()
	<-waiting
	require.NoError(t, l.Close())
	assert.Equal(t, "ended", <-answered)
}
