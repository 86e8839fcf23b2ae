package deadletter

import (
	"encoding/base64"
	"net/url"
	"time"

	"github.com/drydock/drydock/cloud"
)

// Filter selects letters; the zero value selects all. OlderThan and NewerThan
// are durations (90s, 15m, 36h, 7d) or times (RFC 3339).
type Filter struct {
	Stream    string `json:"stream,omitempty"`
	Consumer  string `json:"consumer,omitempty"`
	Reason    string `json:"reason,omitempty"` // part of the reason or of an error
	OlderThan string `json:"older_than,omitempty"`
	NewerThan string `json:"newer_than,omitempty"`
}

func (f Filter) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"stream": f.Stream, "consumer": f.Consumer, "reason": f.Reason, "older_than": f.OlderThan, "newer_than": f.NewerThan,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// Redrive says which letters to send again, and how: a filter, or IDs, or all.
type Redrive struct {
	Filter
	IDs    []string `json:"ids,omitempty"`
	All    bool     `json:"all,omitempty"`
	Rate   float64  `json:"rate,omitempty"` // letters a second at most; 0 for no limit
	DryRun bool     `json:"dry_run,omitempty"`
	Again  bool     `json:"again,omitempty"` // also what came back three times or more
}

// Letter is a dead letter as the API shows it. Encoding ("text" or "base64")
// and Data are set for a single letter only.
type Letter struct {
	ID         string               `json:"id"`
	Revision   uint64               `json:"revision"`
	Stream     string               `json:"stream"`
	Consumer   string               `json:"consumer"`
	Topic      string               `json:"topic"`
	Reason     string               `json:"reason"`
	FirstError string               `json:"first_error,omitempty"`
	LastError  string               `json:"last_error,omitempty"`
	Attempts   int                  `json:"attempts"`
	Began      time.Time            `json:"began,omitzero"`
	At         time.Time            `json:"at"`
	Redriven   int                  `json:"redriven"`
	Event      Event                `json:"event"`
	History    []cloud.LetterChange `json:"history"`
	Encoding   string               `json:"encoding,omitempty"`
	Data       string               `json:"data,omitempty"`
}

// Event is an event's attributes.
type Event struct {
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"content_type"`
	TraceParent string    `json:"traceparent,omitempty"`
	Size        int       `json:"size"`
}

// Bytes are the event's data as it is.
func (l Letter) Bytes() ([]byte, error) {
	if l.Encoding == "base64" {
		return base64.StdEncoding.DecodeString(l.Data)
	}
	return []byte(l.Data), nil
}

// Summary counts letters, in all and by stream, consumer and reason.
type Summary struct {
	Total  int     `json:"total"`
	Groups []Group `json:"groups"`
}

// Group is the letters of one stream, consumer and reason.
type Group struct {
	Stream   string    `json:"stream"`
	Consumer string    `json:"consumer"`
	Reason   string    `json:"reason"`
	Count    int       `json:"count"`
	Oldest   time.Time `json:"oldest"`
	Newest   time.Time `json:"newest"`
}

// Progress is how far a change of many letters is, and what became of the
// letter with the ID.
type Progress struct {
	Total    int    `json:"total"`
	Done     int    `json:"done"`
	Skipped  int    `json:"skipped"`
	Failed   int    `json:"failed"`
	ID       string `json:"id,omitempty"`
	Why      string `json:"why,omitempty"` // it was skipped or failed
	Finished bool   `json:"finished,omitempty"`
	Stopped  string `json:"stopped,omitempty"` // why it finished before its end
}
