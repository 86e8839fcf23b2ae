package market

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/contract"
)

const (
	maxAsked     = 100 // symbols of one request
	defaultLimit = 1000
	maxLimit     = 10_000
	maxBody      = 1 << 20          // bytes
	bodyWait     = 10 * time.Second // for the whole of it
)

// Handler serves the API below /v1/.
func (m *Market) Handler() http.Handler {
	routes := http.NewServeMux()
	for pattern, handle := range map[string]handler{
		"GET /v1/symbols":        m.vendor(m.getSymbols),
		"GET /v1/quotes":         m.vendor(m.getQuotes, "symbols"),
		"GET /v1/history":        m.vendor(m.getHistory, "symbols", "from", "to", "limit", "interval"),
		"GET /v1/stream":         m.vendor(m.getStream, "symbols"),
		"POST /v1/quotes":        m.postQuote,
		"POST /v1/events":        m.postEvents,
		"GET /v1/events":         m.getEvents,
		"DELETE /v1/events/{id}": m.deleteEvent,
		"/": func(_ http.ResponseWriter, r *http.Request) error {
			return refuse(http.StatusNotFound, "there is no %.10q %.100q", r.Method, r.URL.Path)
		},
	} {
		routes.HandleFunc(pattern, m.answer(handle))
	}
	return routes
}

// handler answers a request, or returns why not, before it has written anything.
type handler func(w http.ResponseWriter, r *http.Request) error

// problem is an RFC 9457 document, and the error that is answered with it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Symbols are those that are not there.
	Symbols []string `json:"symbols,omitempty"`

	retryAfter time.Duration
}

func (p *problem) Error() string { return p.Detail }

func refuse(status int, format string, values ...any) *problem {
	return &problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, values...)}
}

// answer writes what a handler returns as an error.
func (m *Market) answer(handle handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		var p *problem
		var unknown *UnknownSymbolError
		switch {
		case errors.As(err, &p):
		case errors.As(err, &unknown):
			p = refuse(http.StatusNotFound, "%v", err)
			p.Symbols = unknown.Symbols
		default:
			m.options.Logger.ErrorContext(r.Context(), "answer "+r.Pattern, "error", err)
			p = refuse(http.StatusInternalServerError, "the feed failed; its log says why")
		}
		if p.retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
		}
		write(w, p.Status, "application/problem+json", p)
	}
}

func write(w http.ResponseWriter, status int, contentType string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("market feed: write %T: %v", body, err)) // all numbers are finite, and the rest can be written
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // an error means that the client is gone
}

// vendor puts the rate limit and the feed's events before a handler that knows
// these parameters.
func (m *Market) vendor(handle handler, parameters ...string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if wait := m.limits.wait(r); wait > 0 {
			p := refuse(http.StatusTooManyRequests, "more requests than %v a second", m.options.Rate)
			p.retryAfter = wait
			return p
		}
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return refuse(http.StatusBadRequest, "the query cannot be read: %v", err)
		}
		for name, values := range query {
			if !slices.Contains(parameters, name) || len(values) > 1 {
				return refuse(http.StatusBadRequest, "parameter %.40q is not one of %q, each once", name, parameters)
			}
		}
		if err := m.spoil(r, strings.Split(query.Get("symbols"), ",")); err != nil {
			return err
		}
		return handle(w, r)
	}
}

// spoil does to a request for symbols what the feed's events do at the moment.
func (m *Market) spoil(r *http.Request, symbols []string) error {
	b, now := m.now()
	if slow, ok := b.active(Slow, symbols, now); ok {
		select {
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // nobody waits for the answer
		case <-time.After(time.Duration(slow.Delay)):
		}
		b, now = m.now()
	}
	if down, ok := b.active(FeedDown, symbols, now); ok {
		if down.Cut {
			panic(http.ErrAbortHandler) // this closes the connection
		}
		return refuse(http.StatusServiceUnavailable, "the feed is down")
	}
	if limited, ok := b.active(RateLimited, symbols, now); ok {
		p := refuse(http.StatusTooManyRequests, "the vendor takes no more requests at the moment")
		p.retryAfter = time.Duration(limited.span().end - now)
		return p
	}
	return nil
}

// active finds an event of a kind about symbols at a time.
func (b *book) active(kind string, symbols []string, at int64) (Event, bool) {
	for _, e := range b.events {
		if e.Kind == kind && e.span().has(at) && e.about(symbols) {
			return e, true
		}
	}
	return Event{}, false
}

// asked are the tapes of the symbols that a request names.
func (m *Market) asked(b *book, r *http.Request) ([]*tape, error) {
	text := r.URL.Query().Get("symbols")
	if text == "" {
		return nil, refuse(http.StatusBadRequest, "symbols is missing; give 1 to %d, separated by commas", maxAsked)
	}
	symbols := strings.Split(text, ",")
	if len(symbols) > maxAsked {
		return nil, refuse(http.StatusBadRequest, "symbols names %d; %d is the most", len(symbols), maxAsked)
	}
	for _, symbol := range symbols {
		if !contract.ValidSymbol(symbol) {
			return nil, refuse(http.StatusBadRequest, "symbol %.40q is not 1 to 32 letters, digits and . ^ = _ : / -", symbol)
		}
	}
	return m.tapes(b, symbols)
}

func (m *Market) getSymbols(w http.ResponseWriter, _ *http.Request) error {
	write(w, http.StatusOK, "application/json", map[string][]Symbol{"symbols": m.symbols})
	return nil
}

func (m *Market) getQuotes(w http.ResponseWriter, r *http.Request) error {
	b, now := m.now()
	tapes, err := m.asked(b, r)
	if err != nil {
		return err
	}
	body := quotesBody{Quotes: []contract.Quote{}}
	for _, t := range tapes {
		at, ok := t.latest(now)
		if !ok {
			continue // its recording begins later
		}
		q := t.quote(at)
		body.Quotes = append(body.Quotes, q)
		if _, doubled := within(t.doubled, now); doubled {
			body.Quotes = append(body.Quotes, q)
		}
	}
	tag := entityTag(body)
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	write(w, http.StatusOK, "application/json", body)
	return nil
}

// quotesBody is what quotes and history are answered with.
type quotesBody struct {
	Quotes []contract.Quote `json:"quotes"`
	Next   time.Time        `json:"next,omitzero"`
}

func entityTag(body quotesBody) string {
	hash := fnv.New64a()
	for _, q := range body.Quotes {
		fmt.Fprintln(hash, q.Symbol, q.Price, q.Volume, q.Time.UnixNano())
	}
	return fmt.Sprintf(`"%016x"`, hash.Sum64())
}

// matches tells whether If-None-Match has a tag.
func matches(header []string, tag string) bool {
	for _, candidate := range strings.Split(strings.Join(header, ","), ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

func (m *Market) getHistory(w http.ResponseWriter, r *http.Request) error {
	b, now := m.now()
	tapes, err := m.asked(b, r)
	if err != nil {
		return err
	}
	span, err := m.parseHistory(r.URL.Query(), now)
	if err != nil {
		return err
	}
	quotes, more := page(tapes, span.after, span.until, span.limit, span.interval)
	body := quotesBody{Quotes: spoiled(tapes, quotes, now)}
	if more {
		body.Next = quotes[len(quotes)-1].Time
	}
	write(w, http.StatusOK, "application/json", body)
	return nil
}

// historySpan is what a request for history asks for.
type historySpan struct {
	after, until int64
	limit        int
	interval     int64 // 0: every quote
}

func (m *Market) parseHistory(query url.Values, now int64) (historySpan, error) {
	span := historySpan{until: now, limit: defaultLimit}
	if !query.Has("from") {
		return span, refuse(http.StatusBadRequest, "from is missing; give the time after which history begins")
	}
	for name, place := range map[string]*int64{"from": &span.after, "to": &span.until} {
		if text := query.Get(name); query.Has(name) {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return span, refuse(http.StatusBadRequest, "%s %.40q is not an RFC 3339 time such as 2026-05-04T12:00:00Z; a + in it has to be written %%2B", name, text)
			}
			*place = min(nanoseconds(at), now)
		}
	}
	if text := query.Get("limit"); query.Has("limit") {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			return span, refuse(http.StatusBadRequest, "limit %.40q is not 1 to %d", text, maxLimit)
		}
		span.limit = limit
	}
	if text := query.Get("interval"); query.Has("interval") {
		interval, err := time.ParseDuration(text)
		if err != nil || interval < m.options.Interval || interval > maxFor {
			return span, refuse(http.StatusBadRequest, "interval %.40q is not a duration such as 1h, from %v to %v", text, m.options.Interval, maxFor)
		}
		span.interval = int64(interval)
	}
	return span, nil
}

// spoiled is a page of history as the feed's events at the moment have it.
func spoiled(tapes []*tape, quotes []contract.Quote, now int64) []contract.Quote {
	answered := make([]contract.Quote, 0, len(quotes))
	doubled, shuffled := map[string]bool{}, false
	for _, t := range tapes {
		_, doubled[t.symbol] = within(t.doubled, now)
		if _, ok := within(t.shuffled, now); ok {
			shuffled = true
		}
	}
	for _, q := range quotes {
		answered = append(answered, q)
		if doubled[q.Symbol] {
			answered = append(answered, q)
		}
	}
	if shuffled {
		slices.Reverse(answered)
	}
	return answered
}

// body reads one, within bounds of size and time.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A connection that knows no deadline, as in a test, needs none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWait))
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxBody)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body cannot be read to its end")
	}
	return data, nil
}

// refused is the problem of a change that was not made.
func refused(err error) error {
	var unknown *UnknownSymbolError
	switch {
	case errors.As(err, &unknown):
		return err
	case errors.Is(err, errNotKept):
		return err
	case errors.Is(err, errFull):
		return refuse(http.StatusConflict, "%v", err)
	}
	return refuse(http.StatusUnprocessableEntity, "%v", err)
}

func (m *Market) postQuote(w http.ResponseWriter, r *http.Request) error {
	data, err := body(w, r)
	if err != nil {
		return err
	}
	var q contract.Quote
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&q); err != nil {
		return refuse(http.StatusBadRequest, "read quote: %v", err)
	}
	if q, err = m.Inject(q); err != nil {
		return refused(err)
	}
	write(w, http.StatusCreated, "application/json", q)
	return nil
}

// eventsBody is what scripted events are answered with.
type eventsBody struct {
	Events []Event `json:"events"`
}

func (m *Market) postEvents(w http.ResponseWriter, r *http.Request) error {
	data, err := body(w, r)
	if err != nil {
		return err
	}
	events, err := parseEvents(data)
	if err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	if events, err = m.Add(events...); err != nil {
		return refused(err)
	}
	write(w, http.StatusCreated, "application/json", eventsBody{events})
	return nil
}

func (m *Market) getEvents(w http.ResponseWriter, _ *http.Request) error {
	b, _ := m.now()
	write(w, http.StatusOK, "application/json", eventsBody{append([]Event{}, b.events...)})
	return nil
}

func (m *Market) deleteEvent(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	err := m.remove(id)
	if errors.Is(err, errNoEvent) {
		return refuse(http.StatusNotFound, "there is no event %.40q; GET /v1/events lists those that there are", id)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
