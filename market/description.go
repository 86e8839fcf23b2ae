package market

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/drydock/drydock/contract"
)

const (
	takes          = "http://host:port of a feed with Drydock's API, or file:///path/vendor.json"
	maxDescription = 1 << 20
	maxBatch       = 1000
	maxLimit       = 100_000
)

// description is a vendor's file, as it is written.
type description struct {
	Name    string            `json:"name"`
	Batch   int               `json:"batch"`
	Headers map[string]string `json:"headers"`
	Rate    *declaredRate     `json:"rate"`
	Symbols struct {
		Names []string `json:"names"`
		endpoint
	} `json:"symbols"`
	Latest  *endpoint `json:"latest"`
	History *endpoint `json:"history"`
	Past    *endpoint `json:"past"`
}

type declaredRate struct {
	Requests int    `json:"requests"`
	Per      string `json:"per"`
	Burst    int    `json:"burst"`
}

// endpoint is one URL and how its answers are read.
type endpoint struct {
	URL string `json:"url"`
	answer
	Limit         int    `json:"limit"`           // history alone
	Next          string `json:"next"`            // history alone
	URLTimeFormat string `json:"url_time_format"` // history alone

	url     template
	urlTime timeFormat
	batch   int // symbols in one request
}

// vendor is a description that was found to be right.
type vendor struct {
	name            string
	headers         map[string]string
	rate            rate
	names           []string  // of symbols, when symbols is nil
	symbols         *endpoint // that lists them
	latest, history *endpoint // history may be nil
	past            *endpoint // as history, for long spans; history itself when the vendor has no other
}

// read finds the vendor that the environment names.
func read(getenv func(string) string) (*vendor, error) {
	value := getenv(Variable)
	if value == "" {
		return nil, fmt.Errorf("it is not set: it takes %s", takes)
	}
	u, err := url.Parse(value)
	if err != nil {
		return nil, fmt.Errorf("it is no URL: it takes %s", takes)
	}
	switch {
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.User == nil:
		return ownFeed(u).check(getenv)
	case u.Scheme == "file" && u.Host == "" && u.Path != "":
		v, err := readFile(u.Path, getenv)
		if err != nil {
			return nil, fmt.Errorf("description of a vendor: %s: %w", u.Path, err)
		}
		return v, nil
	}
	return nil, fmt.Errorf("%s is not of a known kind: it takes %s", u.Redacted(), takes)
}

func readFile(path string, getenv func(string) string) (*vendor, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // the path is known
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxDescription+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDescription {
		return nil, fmt.Errorf("it is longer than %d bytes", maxDescription)
	}
	return parse(data, getenv)
}

// parse reads a description; anything in it that has no meaning is an error.
func parse(data []byte, getenv func(string) string) (*vendor, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var d description
	if err := decoder.Decode(&d); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the description")
	}
	return d.check(getenv)
}

// ownFeed describes Drydock's own API. The rate is within the 20 requests a
// second and the burst of 40 that the feed takes unless it is told otherwise.
func ownFeed(base *url.URL) *description {
	address := func(rest string) string { return strings.TrimSuffix(base.String(), "/") + rest }
	quotes := answer{List: "quotes", Symbol: "symbol", Price: "price", Volume: "volume", Time: "time"}
	d := &description{
		Batch:  100,
		Rate:   &declaredRate{Requests: 40, Per: "1s", Burst: 21},
		Latest: &endpoint{URL: address("/v1/quotes?symbols={symbols}"), answer: quotes},
		History: &endpoint{
			URL:    address("/v1/history?symbols={symbols}&from={from}&to={to}&limit={limit}"),
			answer: quotes, Limit: 10_000, Next: "next",
		},
	}
	past := *d.History
	past.URL += "&interval=1m"
	d.Past = &past
	d.Symbols.endpoint = endpoint{URL: address("/v1/symbols"), answer: answer{List: "symbols", Symbol: "symbol"}}
	return d
}

var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`) })

// check makes a vendor of the description if it is right.
func (d *description) check(getenv func(string) string) (*vendor, error) {
	v := &vendor{name: d.Name, latest: d.Latest, history: d.History, past: cmp.Or(d.Past, d.History)}
	if d.Latest == nil {
		return nil, errors.New("latest is missing: the URL of the latest prices and how they are read")
	}
	if d.Batch < 0 || d.Batch > maxBatch {
		return nil, fmt.Errorf("batch is %d: it takes 1 to %d", d.Batch, maxBatch)
	}
	if err := d.Latest.checkQuotes(d.Batch, getenv); err != nil {
		return nil, fmt.Errorf("latest: %w", err)
	}
	if err := d.Latest.checkLatest(); err != nil {
		return nil, fmt.Errorf("latest: %w", err)
	}
	if d.Past != nil && d.History == nil {
		return nil, errors.New("past: there is no history beside it")
	}
	for name, endpoint := range map[string]*endpoint{"history": d.History, "past": d.Past} {
		if endpoint == nil {
			continue
		}
		if err := endpoint.checkHistory(d.Batch, getenv); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if v.name == "" {
		v.name = d.Latest.url.host()
	}
	if !nameForm().MatchString(v.name) {
		return nil, fmt.Errorf("name: %.40q is not 1 to 64 letters, digits and . _ : -", v.name)
	}
	for _, part := range []struct {
		name  string
		check func(*vendor, func(string) string) error
	}{{"symbols", d.checkSymbols}, {"headers", d.checkHeaders}, {"rate", d.checkRate}} {
		if err := part.check(v, getenv); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return v, nil
}

func (d *description) checkSymbols(v *vendor, getenv func(string) string) (err error) {
	s := &d.Symbols
	switch {
	case len(s.Names) > 0 && s.URL != "":
		return errors.New("it has names and a url: it takes one of them")
	case len(s.Names) == 0 && s.URL == "":
		return errors.New("it takes names, or the url of a list of them")
	case len(s.Names) > 0:
		for _, name := range s.Names {
			if !contract.ValidSymbol(name) {
				return fmt.Errorf("names: %.40q is not 1 to 32 letters, digits and . ^ = _ : / -", name)
			}
		}
		v.names = slices.Compact(slices.Sorted(slices.Values(s.Names)))
		return nil
	}
	if s.url, err = parseTemplate(s.URL, getenv); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if s.Symbol == "" {
		return errors.New("symbol is missing: where an entry has it")
	}
	if s.Limit != 0 || s.Next != "" || s.URLTimeFormat != "" || s.Price != "" || s.Volume != "" || s.Time != "" {
		return errors.New("it takes url, format, list and symbol alone")
	}
	if err := s.answer.check(); err != nil {
		return err
	}
	v.symbols = &s.endpoint
	return nil
}

func (d *description) checkHeaders(v *vendor, getenv func(string) string) error {
	v.headers = map[string]string{}
	for name, text := range d.Headers {
		if !headerForm().MatchString(name) {
			return fmt.Errorf("%.40q is not the name of a header", name)
		}
		value, err := substitute(text, getenv)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("%s: its value is not printable ASCII", name)
		}
		v.headers[name] = value
	}
	return nil
}

var headerForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`) })

func (d *description) checkRate(v *vendor, _ func(string) string) error {
	if d.Rate == nil {
		return nil
	}
	per, err := time.ParseDuration(d.Rate.Per)
	if err != nil || per < time.Millisecond || per > 31*24*time.Hour {
		return fmt.Errorf("per is %.40q: it takes a duration from 1ms to 744h, as 1s or 1m", d.Rate.Per)
	}
	if d.Rate.Requests < 1 || d.Rate.Requests > 1_000_000 {
		return fmt.Errorf("requests is %d: it takes 1 to 1000000", d.Rate.Requests)
	}
	burst := max(d.Rate.Burst, 1)
	if d.Rate.Burst < 0 || burst > d.Rate.Requests {
		return fmt.Errorf("burst is %d: it takes 1 to the %d requests", d.Rate.Burst, d.Rate.Requests)
	}
	v.rate = newRate(d.Rate.Requests, per, burst)
	return nil
}

// checkQuotes checks what latest and history have in common.
func (e *endpoint) checkQuotes(batch int, getenv func(string) string, more ...string) (err error) {
	if e.URL == "" {
		return errors.New("url is missing")
	}
	if e.url, err = parseTemplate(e.URL, getenv, append(more, "symbol", "symbols")...); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	one, many := e.url.has("symbol"), e.url.has("symbols")
	switch {
	case one == many:
		return errors.New("url: it takes {symbol} or {symbols}, one of them")
	case many && batch == 0:
		return errors.New("url: it has {symbols}, but batch does not say how many the vendor takes at once")
	case many:
		e.batch = batch
	default:
		e.batch = 1
	}
	switch {
	case e.Price == "":
		return errors.New("price is missing: where an entry has it")
	case e.Symbol == "" && many:
		return errors.New("symbol is missing: where an entry has it")
	}
	return e.answer.check()
}

func (e *endpoint) checkLatest() error {
	if e.Limit != 0 || e.Next != "" || e.URLTimeFormat != "" {
		return errors.New("limit, next and url_time_format are for history alone")
	}
	return nil
}

func (e *endpoint) checkHistory(batch int, getenv func(string) string) (err error) {
	if err := e.checkQuotes(batch, getenv, "from", "to", "limit", "page"); err != nil {
		return err
	}
	switch {
	case e.Time == "":
		return errors.New("time is missing: where an entry has it")
	case !e.url.has("from"):
		return errors.New("url: it takes {from}, where the quotes begin")
	case e.Limit < 0 || e.Limit > maxLimit:
		return fmt.Errorf("limit is %d: it takes 1 to %d", e.Limit, maxLimit)
	case e.url.has("limit") && e.Limit == 0:
		return errors.New("url: it has {limit}, but limit does not say what that is")
	case e.url.has("page") && e.Next == "":
		return errors.New("url: it has {page}, but next does not say where an answer has the next one")
	case e.Next != "" && e.Format == formatCSV:
		return errors.New("next: there is no such thing in CSV: give limit, and leave next out")
	}
	if e.Next != "" {
		if err := checkPath(e.Next); err != nil {
			return fmt.Errorf("next: %w", err)
		}
	}
	if e.urlTime, err = newTimeFormat(e.URLTimeFormat, e.TimeZone); err != nil {
		return fmt.Errorf("url_time_format: %w", err)
	}
	return nil
}

// after tells where the page after this one begins, if there is more.
func (e *endpoint) after(at place, body []byte, quotes []contract.Quote, entries int) (next place, more bool, err error) {
	next = at
	switch {
	case e.Next == "" && (e.Limit == 0 || entries < e.Limit):
		return place{}, false, nil
	case e.Next == "":
		if len(quotes) > 0 {
			next.from = quotes[len(quotes)-1].Time
		}
		if e.batch > 1 { // others of the same moment may have been cut off
			next.from = next.from.Add(-time.Second)
		}
	default:
		text, err := fieldText(gjson.GetBytes(body, e.Next))
		if err != nil {
			return place{}, false, &AnswerError{Err: fmt.Errorf("next: %w", err)}
		}
		if text == "" {
			return place{}, false, nil
		}
		if e.url.has("page") {
			next.page = text
		} else if next.from, err = e.time.parse(text); err != nil {
			return place{}, false, &AnswerError{Err: fmt.Errorf("next: %w", err)}
		}
	}
	if next.page == at.page && !next.from.After(at.from) {
		return place{}, false, &AnswerError{Err: fmt.Errorf("the page after %v leads no further", at.from)}
	}
	return next, true, nil
}
