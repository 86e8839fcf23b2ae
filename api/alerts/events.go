package alerts

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// firstTime is where the ids of a stream that are times begin: microseconds
// since 1970. Positions of alerts are below.
const firstTime = 1_000_000_000_000_000

// exampleStream is what a stream looks like.
const exampleStream = `id: 1777896000000000
retry: 2000
event: heartbeat
data: {"time":"2026-05-04T12:00:00Z"}

id: 42
event: alert
data: {"id":"vun6ol2a0k3p9r5c1m8d4h7t.ddn6c1xk8zcw","rule":"vun6ol2a0k3p9r5c1m8d4h7t","symbol":"ACME","kind":"above","price":125.6,"volume":1200,"time":"2026-05-04T12:00:01Z","level":125.5,"value":125.6}

`

// Alert is one crossing of a rule, as the API shows it.
type Alert struct {
	ID     string    `json:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t.ddn6c1xk8zcw" doc:"Identifies the crossing: an alert that is seen twice has the same id."`
	Rule   string    `json:"rule" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"The rule that fired."`
	Symbol string    `json:"symbol" example:"ACME" doc:"What is traded."`
	Kind   string    `json:"kind" example:"above" doc:"The kind of the rule's condition."`
	Price  float64   `json:"price" example:"125.6" doc:"The price that crossed."`
	Volume float64   `json:"volume" example:"1200" doc:"The volume of that quote."`
	Time   time.Time `json:"time" doc:"When, by the market's time."`
	Level  float64   `json:"level" example:"125.5" doc:"What was crossed: the price, percentage or factor of the condition."`
	Value  float64   `json:"value" example:"125.6" doc:"What was compared with it."`
}

// showAlert shows an alert to its owner.
func showAlert(a contract.Alert) Alert {
	return Alert{
		ID: a.ID, Rule: a.Rule, Symbol: a.Symbol, Kind: a.Kind,
		Price: a.Price, Volume: a.Volume, Time: a.Time, Level: a.Level, Value: a.Value,
	}
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" example:"42" doc:"Go on after this event, as browsers do by themselves. Without it the stream begins now."`
}

func (s *Service) registerEvents(api huma.API) {
	const path = "/v1/alerts/events"
	sse.Register(api, huma.Operation{
		OperationID: "stream-alerts",
		Method:      http.MethodGet,
		Path:        path,
		Summary:     "Follow the alerts",
		Description: "Streams every alert that the owner's rules fire. Who connects again with the last id misses nothing of the last week.",
		Tags:        []string{tagAlerts},
		Middlewares: huma.Middlewares{web.Streamed(s.metrics.streams)},
	}, map[string]any{"alert": Alert{}, "heartbeat": web.Heartbeat{}}, s.events)
	api.OpenAPI().Paths[path].Get.Responses["200"].Content["text/event-stream"].Example = exampleStream
}

// events sends the owner's alerts until the reader is gone.
func (s *Service) events(ctx context.Context, in *eventsInput, send sse.Sender) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from, id := s.begin(in.LastEventID)
	if send(sse.Message{ID: id, Data: web.Heartbeat{Time: s.now().UTC()}, Retry: web.ReconnectAfter}) != nil {
		return
	}
	entries, ended := make(chan cloud.Entry), make(chan struct{})
	defer func() {
		cancel()
		<-ended
	}()
	go func() {
		defer close(ended)
		s.readAlerts(ctx, from, entries)
	}()
	heartbeat := time.NewTicker(web.HeartbeatEvery)
	defer heartbeat.Stop()
	for {
		var message sse.Message
		select {
		case <-ended:
			return
		case <-heartbeat.C:
			message.Data = web.Heartbeat{Time: s.now().UTC()}
		case entry := <-entries:
			var alert contract.Alert
			if err := json.Unmarshal(entry.Event.Data, &alert); err != nil {
				s.options.Logger.ErrorContext(ctx, "stream alerts", "event", entry.Event.ID, "error", err)
				continue
			}
			message.ID, message.Data = int(entry.Position), showAlert(alert)
		}
		if send(message) != nil {
			return
		}
	}
}

// readAlerts hands on what comes on the owner's topic, until the context ends.
func (s *Service) readAlerts(ctx context.Context, from cloud.Start, entries chan<- cloud.Entry) {
	for entry, err := range s.options.Bus.Read(ctx, contract.TopicTriggered(web.OwnerOf(ctx)), from) {
		if err != nil {
			s.options.Logger.ErrorContext(ctx, "stream alerts", "error", err)
			return // the reader comes again
		}
		select {
		case entries <- entry:
		case <-ctx.Done():
			return
		}
	}
}

// begin tells where a stream starts, and the id that it opens with. An id is
// the position of an alert. Before the first one it is the time at which the
// stream began, so that who loses the connection then misses nothing either.
func (s *Service) begin(lastEventID string) (from cloud.Start, id int) {
	last, err := strconv.ParseUint(lastEventID, 10, 63)
	switch {
	case err != nil || last == 0: // none, or none of ours
		now := s.now()
		return cloud.Start{Since: now}, int(now.UnixMicro())
	case last >= firstTime:
		return cloud.Start{Since: time.UnixMicro(int64(last))}, 0
	default:
		return cloud.Start{After: cloud.Position(last)}, 0
	}
}
