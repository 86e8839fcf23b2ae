package uploads

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// watchAgainAfter is the pause after a watch of the records that failed.
const watchAgainAfter = time.Second

// exampleStream is what a stream looks like.
const exampleStream = `retry: 2000
event: heartbeat
data: {"time":"2026-05-04T12:00:00Z"}

event: upload
data: {"id":"vun6ol2a0k3p9r5c1m8d4h7t","filename":"harbour.jpg","status":"processing","received":true,"created":"2026-05-04T11:59:58Z","updated":"2026-05-04T12:00:01Z","variants":[]}

event: deleted
data: {"id":"vun6ol2a0k3p9r5c1m8d4h7t"}

`

// Deleted is the event that an upload was deleted.
type Deleted struct {
	ID string `json:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"The upload's id."`
}

func (s *Service) registerEvents(api huma.API) {
	sse.Register(api, huma.Operation{
		OperationID: "stream-events",
		Method:      http.MethodGet,
		Path:        "/v1/events",
		Summary:     "Follow all uploads",
		Description: "Streams every change of an upload from now on. A reader that falls behind is disconnected; it connects again and reads the list anew, as after any reconnection.",
		Tags:        []string{tagEvents},
		Middlewares: huma.Middlewares{web.Streamed(s.metrics.streams)},
	}, map[string]any{"upload": Upload{}, "deleted": Deleted{}, "heartbeat": web.Heartbeat{}}, s.allEvents)

	sse.Register(api, huma.Operation{
		OperationID: "stream-upload-events",
		Method:      http.MethodGet,
		Path:        "/v1/uploads/{id}/events",
		Summary:     "Follow one upload",
		Description: "Streams an upload as it is now and every change of it, and ends once it is processed, rejected or deleted. The reader then has to close its side: browsers connect again otherwise.",
		Tags:        []string{tagEvents},
		Errors:      []int{http.StatusNotFound, http.StatusServiceUnavailable},
		Middlewares: huma.Middlewares{s.found(api), web.Streamed(s.metrics.streams)},
	}, map[string]any{"upload": Upload{}, "deleted": Deleted{}, "heartbeat": web.Heartbeat{}}, s.uploadEvents)

	for _, path := range []string{"/v1/events", "/v1/uploads/{id}/events"} {
		api.OpenAPI().Paths[path].Get.Responses["200"].Content["text/event-stream"].Example = exampleStream
	}
}

// found is the middleware that answers with a problem where there is no upload
// to stream; once a stream has begun it is too late for that.
func (s *Service) found(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		_, err := s.find(ctx.Context(), web.OwnerOf(ctx.Context()), ctx.Param("id"))
		if err == nil {
			next(ctx)
			return
		}
		err = s.problem(ctx.Context(), "stream upload", err)
		var answer huma.StatusError
		errors.As(err, &answer)
		var more huma.HeadersError
		if errors.As(err, &more) {
			for name := range more.GetHeaders() {
				ctx.SetHeader(name, more.GetHeaders().Get(name))
			}
		}
		_ = huma.WriteErr(api, ctx, answer.GetStatus(), answer.Error()) // an error means that the client is gone
	}
}

func (s *Service) allEvents(ctx context.Context, _ *struct{}, send sse.Sender) {
	owner := web.OwnerOf(ctx)
	l := s.hub.join(owner, "", s.now())
	defer s.hub.leave(owner, l)
	if send(sse.Message{Data: web.Heartbeat{Time: s.now().UTC()}, Retry: web.ReconnectAfter}) == nil {
		s.stream(ctx, l, nil, send)
	}
}

func (s *Service) uploadEvents(ctx context.Context, in *identifierInput, send sse.Sender) {
	owner := web.OwnerOf(ctx)
	l := s.hub.join(owner, in.ID, s.now()) // before reading, so that no change is missed between
	defer s.hub.leave(owner, l)
	view, err := s.find(ctx, owner, in.ID)
	if err != nil {
		_ = s.problem(ctx, "stream upload", err) // logged; the stream ends and the reader comes again
		return
	}
	if send(sse.Message{Data: view, Retry: web.ReconnectAfter}) != nil || view.Status.Final() {
		return
	}
	var expired <-chan time.Time
	if !view.Received && view.Status == contract.StatusWaiting {
		timer := time.NewTimer(view.Expires.Sub(s.now()))
		defer timer.Stop()
		expired = timer.C
	}
	s.stream(ctx, l, expired, send)
}

// stream sends a listener's events until the reader is gone or too slow, the
// service stops, or the one upload it is about has come to its end.
func (s *Service) stream(ctx context.Context, l *listener, expired <-chan time.Time, send sse.Sender) {
	heartbeat := time.NewTicker(web.HeartbeatEvery)
	defer heartbeat.Stop()
	for {
		var event any
		select {
		case <-ctx.Done():
			return
		case <-heartbeat.C:
			event = web.Heartbeat{Time: s.now().UTC()}
		case <-expired:
			view, err := s.find(ctx, web.OwnerOf(ctx), l.id)
			if err != nil {
				_ = s.problem(ctx, "stream upload", err)
				return
			}
			event = view
		case told, open := <-l.events:
			if !open {
				return
			}
			event = told
		}
		if send.Data(event) != nil || l.id != "" && last(event) {
			return
		}
	}
}

// last tells whether nothing follows an event about an upload.
func last(event any) bool {
	switch e := event.(type) {
	case Deleted:
		return true
	case Upload:
		return e.Status.Final()
	}
	return false
}

// follow watches the records for as long as the context lasts.
func (s *Service) follow(ctx context.Context) {
	for ctx.Err() == nil {
		for change, err := range s.options.Records.Watch(ctx, "") {
			if err == nil {
				err = s.tell(ctx, change)
			}
			if err != nil && ctx.Err() == nil {
				s.options.Logger.ErrorContext(ctx, "follow uploads", "error", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchAgainAfter):
		}
	}
}

// tell hands a change of a record to those who listen. A removed record is a
// tombstone that was kept for long enough, and no news.
func (s *Service) tell(ctx context.Context, change cloud.Change) error {
	if change.Deleted {
		return nil
	}
	doc, err := document(change.Record)
	if err != nil {
		return err
	}
	if !s.hub.wanted(doc.Owner, doc.ID, doc.Updated) {
		return nil
	}
	var event any = Deleted{ID: doc.ID}
	if doc.Status != contract.StatusDeleted {
		if event, err = s.recorded(ctx, doc); err != nil {
			return err
		}
	}
	if dropped := s.hub.tell(doc.Owner, doc.ID, doc.Updated, event); dropped > 0 {
		s.metrics.dropped.Add(float64(dropped))
		s.options.Logger.WarnContext(ctx, "dropped event streams of slow readers", "owner", doc.Owner, "streams", dropped)
	}
	return nil
}
