package nomad

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/events"
)

func eventRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/event/stream", (*request).eventStream),
	}
}

// eventHeartbeat is how often a stream on which nothing happens says so.
const eventHeartbeat = 10 * time.Second

// eventStream sends what changes, a line of JSON for each commit, until the
// client has gone.
func (r *request) eventStream() (any, error) {
	topics, err := events.ParseTopics(r.query["topic"])
	if err != nil {
		return nil, badRequest("Invalid topic query: error parsing topics: %v", err)
	}
	index := uint64(0)
	if text := r.query.Get("index"); text != "" {
		if index, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, badRequest("Unable to parse index: %v", err)
		}
	}
	allowed, err := r.allowedEvents(topics)
	if err != nil {
		return nil, err
	}
	subscription := r.region.events.Subscribe(index, func(e *events.Event) bool { return topics.Wants(e) && allowed(e) })
	return streamed(func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		sendEvents(r.Context(), w, subscription)
	}), nil
}

func sendEvents(ctx context.Context, w http.ResponseWriter, from *events.Subscription) {
	flusher := http.NewResponseController(w)
	line := []byte("{}\n")
	for {
		if _, err := w.Write(line); err != nil || flusher.Flush() != nil {
			return
		}
		waiting, cancel := context.WithTimeout(ctx, eventHeartbeat)
		index, list, err := from.Next(waiting)
		cancel()
		switch {
		case err == nil:
			line = appendEvents(line[:0], index, list)
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			line = append(line[:0], "{}\n"...)
		case errors.Is(err, events.ErrClosed):
			w.Write([]byte(`{"Error":{"Code":500,"Message":` + strconv.Quote(err.Error()) + "}}\n"))
			return
		default:
			return
		}
	}
}

// appendEvents adds a line of the stream.
func appendEvents(line []byte, index uint64, list []*events.Event) []byte {
	line = append(line, `{"Index":`...)
	line = strconv.AppendUint(line, index, 10)
	line = append(line, `,"Events":[`...)
	for i, e := range list {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, e.JSON()...)
	}
	return append(line, "]}\n"...)
}

// allowedEvents is which events the caller may see; an error when it asks for
// a topic that it may not follow.
func (r *request) allowedEvents(topics events.Topics) (func(*events.Event) bool, error) {
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	namespace := r.namespace()
	for topic := range topics {
		if !mayFollow(may, topic, namespace) {
			return nil, errDenied
		}
	}
	return func(e *events.Event) bool {
		if e.Namespace != "" && namespace != allNamespaces && e.Namespace != namespace {
			return false
		}
		return mayFollow(may, e.Topic, e.Namespace)
	}, nil
}

// mayFollow tells whether the caller may follow a topic in a namespace.
func mayFollow(may *acl.Authorizer, topic api.Topic, namespace string) bool {
	switch topic {
	case api.TopicJob, api.TopicEvaluation, api.TopicAllocation, api.TopicDeployment, api.TopicService:
		return namespace == allNamespaces && may.AnyNamespace(acl.ReadJob) || may.Namespace(namespace, acl.ReadJob)
	case api.TopicNode, api.TopicNodePool:
		return may.Allows(acl.Read, acl.Node)
	case events.TopicHostVolume:
		return may.Namespace(namespace, acl.HostVolumeRead)
	case events.TopicCSIVolume, events.TopicCSIPlugin:
		return may.Namespace(namespace, acl.CSIReadVolume)
	}
	return may.IsManagement()
}
