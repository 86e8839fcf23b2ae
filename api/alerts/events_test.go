package alerts

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// message is a server-sent event as a browser sees it.
type message struct{ id, event, data, retry string }

// listen opens a stream. Its messages come on the channel, which is closed
// when the stream has ended; hang up ends it.
func (b *bench) listen(t testing.TB, owner, lastEventID string) (header http.Header, messages <-chan message, hangUp func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/v1/alerts/events", nil)
	require.NoError(t, err)
	request.Header.Set("X-Owner", owner)
	request.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	told, done := make(chan message), make(chan struct{})
	go func() {
		defer close(done)
		defer close(told)
		var m message
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				m.id = value
			case "event":
				m.event = value
			case "data":
				m.data = value
			case "retry":
				m.retry = value
			case "":
				select {
				case told <- m:
				case <-ctx.Done():
				}
				m = message{}
			}
		}
	}()
	hangUp = func() {
		cancel()
		<-done
		answer.Body.Close()
	}
	t.Cleanup(hangUp)
	return answer.Header, told, hangUp
}

// hear waits for the next message.
func hear(t testing.TB, messages <-chan message) message {
	t.Helper()
	select {
	case m, open := <-messages:
		require.True(t, open, "the stream has ended")
		return m
	case <-time.After(patience):
		t.Fatal("nothing was heard")
		return message{}
	}
}

// hearAlert waits for the next message, which has to be an alert's.
func hearAlert(t testing.TB, messages <-chan message) (id string, alert Alert) {
	t.Helper()
	m := hear(t, messages)
	require.Equal(t, "alert", m.event, m.data)
	require.NotEmpty(t, m.id)
	return m.id, decode[Alert](t, []byte(m.data))
}

// fire publishes an alert as the alerts worker does.
func (b *bench) fire(t testing.TB, owner string, number int) {
	t.Helper()
	at := time.Date(2026, 5, 4, 12, 0, number, 0, time.UTC)
	alert := contract.Alert{
		ID: contract.AlertID("rule", at), Rule: "rule", Owner: owner, Symbol: "ACME", Kind: contract.Above,
		Price: 10 + float64(number), Volume: 5, Time: at, Level: 10, Value: 10 + float64(number),
	}
	data, err := json.Marshal(alert)
	require.NoError(t, err)
	b.publish(t, owner, fmt.Sprintf("%s-%s", owner, alert.ID), data)
}

func (b *bench) publish(t testing.TB, owner, id string, data []byte) {
	t.Helper()
	require.NoError(t, b.bus.Publish(within(t), contract.TopicTriggered(owner), cloud.Event{
		ID: id, Source: "/drydock/alerts", Type: "dev.drydock.alerts.triggered", Data: data,
	}))
}

func TestAlertsAreFollowed(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.fire(t, "ann", 1) // before anybody listens
	header, messages, _ := b.listen(t, "ann", "")
	require.Equal(t, "text/event-stream", header.Get("Content-Type"))
	require.Equal(t, "no-cache", header.Get("Cache-Control"))
	require.Equal(t, "no", header.Get("X-Accel-Buffering"))
	first := hear(t, messages)
	require.Equal(t, "heartbeat", first.event)
	require.Equal(t, "2000", first.retry)
	require.InDelta(t, 1, b.counted(t, "drydock_alerts_streams"), 0)

	b.fire(t, "bob", 2)
	b.fire(t, "ann0", 2)
	b.publish(t, "ann", "unreadable", []byte("{"))
	b.fire(t, "ann", 3)
	id, alert := hearAlert(t, messages)
	require.Equal(t, "5", id)
	require.Equal(t, 13.0, alert.Price)
	require.Equal(t, "rule", alert.Rule)
}

// TestWhoConnectsAgainMissesNothing: after alerts were heard, before any was,
// and with what is no id of ours.
func TestWhoConnectsAgainMissesNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	_, messages, hangUp := b.listen(t, "ann", "")
	opened := hear(t, messages).id
	micro, err := strconv.ParseInt(opened, 10, 64)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), time.UnixMicro(micro), patience)
	hangUp()

	b.fire(t, "ann", 1)
	b.fire(t, "bob", 1)
	b.fire(t, "ann", 2)
	_, messages, hangUp = b.listen(t, "ann", opened)
	require.Empty(t, hear(t, messages).id, "what the browser has stays")
	id, alert := hearAlert(t, messages)
	require.Equal(t, 11.0, alert.Price)
	hangUp()

	b.fire(t, "ann", 3)
	_, messages, _ = b.listen(t, "ann", id)
	hear(t, messages)
	for _, price := range []float64{12, 13} {
		_, alert = hearAlert(t, messages)
		require.Equal(t, price, alert.Price)
	}
	for _, strange := range []string{"x", "-1", "0", "99999999999999999999999"} {
		_, messages, hangUp := b.listen(t, "ann", strange)
		require.Greater(t, len(hear(t, messages).id), 15, "it begins now")
		hangUp()
	}
	require.Eventually(t, func() bool { return b.counted(t, "drydock_alerts_streams") == 1 }, patience, 20*time.Millisecond)
}
