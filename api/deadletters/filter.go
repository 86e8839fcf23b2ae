package deadletters

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
)

// Filter selects letters, in a query or in a body; without any part it selects all.
type Filter struct {
	Stream    string `query:"stream" json:"stream,omitempty" pattern:"^[a-zA-Z0-9_-]*$" maxLength:"200" example:"quotes" doc:"Letters of this stream only."`
	Consumer  string `query:"consumer" json:"consumer,omitempty" pattern:"^[a-z0-9-]*$" maxLength:"32" example:"alerts" doc:"Letters of this consumer only."`
	Reason    string `query:"reason" json:"reason,omitempty" maxLength:"200" example:"connection refused" doc:"Letters with these words in their reason or errors, in capitals or not."`
	OlderThan string `query:"older_than" json:"older_than,omitempty" maxLength:"40" example:"7d" doc:"Letters that were given up before: so long ago (90s, 15m, 36h, 7d), or a time (RFC 3339)."`
	NewerThan string `query:"newer_than" json:"newer_than,omitempty" maxLength:"40" example:"1h" doc:"Letters that were given up after: so long ago, or a time."`
}

// letters reads the filter; a problem names the part at fault below location.
func (f Filter) letters(now time.Time, location string) (cloud.LetterFilter, error) {
	filter := cloud.LetterFilter{Stream: f.Stream, Consumer: f.Consumer, Reason: f.Reason}
	for _, part := range []struct {
		name, value string
		to          *time.Time
	}{{"older_than", f.OlderThan, &filter.Before}, {"newer_than", f.NewerThan, &filter.After}} {
		if part.value == "" {
			continue
		}
		at, err := moment(now, part.value)
		if err != nil {
			return cloud.LetterFilter{}, web.Fault(location+"."+part.name, err.Error(), part.value)
		}
		*part.to = at
	}
	return filter, nil
}

var errMoment = errors.New("not a duration like 90s, 15m, 36h or 7d, nor a time like 2026-05-04T12:00:00Z")

// moment reads a time, or how long ago it is.
func moment(now time.Time, text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	ago, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var count uint64
		count, err = strconv.ParseUint(days, 10, 16)
		ago = time.Duration(count) * 24 * time.Hour
	}
	if err != nil || ago < 0 {
		return time.Time{}, errMoment
	}
	return now.Add(-ago), nil
}
