package s3

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// maxWaiting is how many events of the outbox an answer has at most.
const maxWaiting = 1000

// outboxList is the answer of GET /?outbox.
type outboxList struct {
	Waiting int            `json:"waiting"` // all of them
	Events  []waitingEvent `json:"events"`  // the first, the oldest first
}

// waitingEvent is an event that its destination has not accepted yet.
type waitingEvent struct {
	ID          string `json:"id"`
	Destination string `json:"destination"`
	Event       string `json:"event"`
	Key         string `json:"key"` // with the bucket before it
	Time        string `json:"time"`
}

// listOutbox tells what is still to be delivered.
func (q *request) listOutbox() error {
	limit := maxWaiting
	if v := q.query.Get("max"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxWaiting {
			return errInvalidArgument.saying("Argument max must be an integer between 0 and %d", maxWaiting)
		}
		limit = n
	}
	list := q.srv.outbox.list(limit)
	q.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(q.w).Encode(list)
}

func (o *outbox) list(limit int) outboxList {
	list := outboxList{Events: []waitingEvent{}}
	for arn, lanes := range o.lanes {
		for _, l := range lanes {
			list.Waiting += l.waiting()
			for _, p := range l.first(limit) {
				ev, err := p.read()
				if err != nil {
					continue // it has been delivered meanwhile
				}
				var body eventLog
				w := waitingEvent{ID: ev.ID, Destination: arn}
				if json.Unmarshal(ev.Body, &body) == nil && len(body.Records) == 1 {
					w.Event, w.Key, w.Time = body.EventName, body.Key, body.Records[0].EventTime
				}
				list.Events = append(list.Events, w)
			}
		}
	}
	slices.SortFunc(list.Events, func(a, b waitingEvent) int { return cmp.Compare(a.Time, b.Time) })
	list.Events = list.Events[:min(limit, len(list.Events))]
	return list
}
