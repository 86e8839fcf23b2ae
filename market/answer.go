package market

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/drydock/drydock/contract"
)

// Formats of an answer.
const (
	formatJSON = "json"
	formatCSV  = "csv"
)

// answer describes how an answer is read: paths in JSON, columns in CSV.
type answer struct {
	Format     string `json:"format"`
	List       string `json:"list"`
	Symbol     string `json:"symbol"`
	Price      string `json:"price"`
	Volume     string `json:"volume"`
	Time       string `json:"time"`
	TimeFormat string `json:"time_format"`
	TimeZone   string `json:"time_zone"`

	time timeFormat
}

// check completes the answer's description and finds what is wrong with it.
func (a *answer) check() (err error) {
	switch a.Format {
	case "", formatJSON:
		a.Format = formatJSON
		for _, field := range []struct{ name, path string }{
			{"list", a.List}, {"symbol", a.Symbol}, {"price", a.Price}, {"volume", a.Volume}, {"time", a.Time},
		} {
			if field.path == "" {
				continue
			}
			if err := checkPath(field.path); err != nil {
				return fmt.Errorf("%s: %w", field.name, err)
			}
		}
	case formatCSV:
		if a.List != "" {
			return errors.New("list: there is no such thing in CSV")
		}
	default:
		return fmt.Errorf("format is %.40q: it takes json or csv", a.Format)
	}
	if a.Time == "" && (a.TimeFormat != "" || a.TimeZone != "") {
		return errors.New("time is missing: where an entry has what time_format and time_zone speak of")
	}
	if a.time, err = newTimeFormat(a.TimeFormat, a.TimeZone); err != nil {
		return fmt.Errorf("time_format: %w", err)
	}
	return nil
}

var (
	modifierForm = regexp.MustCompile(`(?:^|[.|])@([A-Za-z]+)`)
	escapedForm  = regexp.MustCompile(`\\.`)
)

// checkPath finds mistakes that gjson would take for a path to nothing.
func checkPath(path string) error {
	plain := escapedForm.ReplaceAllString(path, "x")
	lines, _ := strings.CutPrefix(plain, "..") // which means JSON lines
	if strings.Trim(lines, ".|") != lines || strings.Contains(lines, "..") || strings.Contains(lines, "||") {
		return fmt.Errorf("path %.60q has an empty part", path)
	}
	for _, pair := range []string{"()", "[]", "{}"} {
		if strings.Count(plain, pair[:1]) != strings.Count(plain, pair[1:]) {
			return fmt.Errorf("path %.60q has a %s without the other", path, pair)
		}
	}
	for _, found := range modifierForm.FindAllStringSubmatch(path, -1) {
		if !gjson.ModifierExists(found[1], nil) {
			return fmt.Errorf("path %.60q: there is no @%s", path, found[1])
		}
	}
	return nil
}

// entry looks up the text of an entry's field; "" when there is none.
type entry func(field string) (string, error)

// entries yields the entries of an answer. It is an *AnswerError when there is no such list.
func (a answer) entries(body []byte) (iter.Seq[entry], error) {
	if a.Format == formatCSV {
		return a.csvEntries(body)
	}
	return a.jsonEntries(body)
}

func (a answer) jsonEntries(body []byte) (iter.Seq[entry], error) {
	if !json.Valid(body) { // it bounds how deep values are nested, too
		return nil, &AnswerError{Err: fmt.Errorf("it is not JSON, but begins with %.60q", body)}
	}
	list := gjson.ParseBytes(body)
	if a.List != "" {
		list = list.Get(a.List)
	}
	switch {
	case list.IsArray(), list.IsObject():
	case list.Exists() && list.Type == gjson.Null:
		return func(func(entry) bool) {}, nil
	default:
		return nil, &AnswerError{Err: fmt.Errorf("it has no list of entries at %q, but begins with %.60q", a.List, body)}
	}
	return func(yield func(entry) bool) {
		visit := func(_, value gjson.Result) bool {
			return yield(func(path string) (string, error) {
				text, err := fieldText(value.Get(path))
				if err != nil {
					return "", fmt.Errorf("%s: %w", path, err)
				}
				return text, nil
			})
		}
		if list.IsObject() {
			visit(gjson.Result{}, list)
			return
		}
		list.ForEach(visit)
	}, nil
}

// fieldText is the text of a string or a number, and "" of nothing.
func fieldText(value gjson.Result) (string, error) {
	switch value.Type {
	case gjson.Number:
		return value.Raw, nil
	case gjson.String:
		return value.Str, nil
	case gjson.Null:
		return "", nil
	}
	return "", fmt.Errorf("%.40q is neither a number nor a text", value.Raw)
}

func (a answer) csvEntries(body []byte) (iter.Seq[entry], error) {
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	reader.TrimLeadingSpace = true
	head, err := reader.Read()
	if err != nil {
		return nil, &AnswerError{Err: fmt.Errorf("it is not CSV with a line of names: %w", err)}
	}
	for _, name := range []string{a.Symbol, a.Price, a.Volume, a.Time} {
		if name != "" && !slices.Contains(head, name) {
			return nil, &AnswerError{Err: fmt.Errorf("it has no column %q, but begins with %.60q", name, body)}
		}
	}
	lines, err := reader.ReadAll()
	if err != nil && err != io.EOF {
		return nil, &AnswerError{Err: err}
	}
	return func(yield func(entry) bool) {
		for _, line := range lines {
			if !yield(func(column string) (string, error) { return line[slices.Index(head, column)], nil }) {
				return
			}
		}
	}, nil
}

// quote reads an entry as a quote of one of the batch's symbols.
func (a answer) quote(entry entry, batch []string, now time.Time) (contract.Quote, error) {
	quote := contract.Quote{Symbol: batch[0], Time: now.UTC()}
	var err error
	if a.Symbol != "" {
		if quote.Symbol, err = entry(a.Symbol); err != nil {
			return contract.Quote{}, err
		}
	}
	if !slices.Contains(batch, quote.Symbol) {
		return contract.Quote{}, fmt.Errorf("symbol %.40q was not asked for", quote.Symbol)
	}
	if quote.Price, err = number(entry, a.Price); err == nil && a.Volume != "" {
		quote.Volume, err = number(entry, a.Volume)
	}
	if err == nil && a.Time != "" {
		var text string
		if text, err = entry(a.Time); err == nil {
			quote.Time, err = a.time.parse(text)
		}
	}
	if err != nil {
		return contract.Quote{}, fmt.Errorf("quote of %s: %w", quote.Symbol, err)
	}
	return quote, quote.Check()
}

// number reads a field; a field that is not there is zero.
func number(entry entry, field string) (float64, error) {
	text, err := entry(field)
	if text == "" || err != nil {
		return 0, err
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %.40q is not a number", field, text)
	}
	return value, nil
}

// Formats of a time, beside layouts of package time.
const (
	timeRFC3339 = "rfc3339"
	timeUnix    = "unix"
	timeUnixMS  = "unix_ms"
)

// timeFormat is how a vendor writes times.
type timeFormat struct {
	layout string
	zone   *time.Location
}

func newTimeFormat(layout, zone string) (timeFormat, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return timeFormat{}, fmt.Errorf("time_zone: %.60q is not an IANA name, as America/New_York", zone)
	}
	f := timeFormat{layout: layout, zone: location}
	switch layout {
	case "":
		f.layout = timeRFC3339
	case timeRFC3339, timeUnix, timeUnixMS:
	default:
		day := time.Date(2031, 10, 24, 0, 0, 0, 0, location)
		if parsed, err := f.parse(f.format(day)); err != nil || !parsed.Equal(day) {
			return timeFormat{}, fmt.Errorf("%.60q is not rfc3339, unix, unix_ms or a layout with year, month and day, as 2006-01-02 15:04:05", layout)
		}
	}
	return f, nil
}

// years bounds the times that are taken, in seconds.
const years = 253402300800 // to the end of 9999

func (f timeFormat) parse(text string) (time.Time, error) {
	var parsed time.Time
	var err error
	switch f.layout {
	case timeRFC3339:
		parsed, err = time.Parse(time.RFC3339, text)
	case timeUnix, timeUnixMS:
		var value float64
		value, err = strconv.ParseFloat(text, 64)
		if f.layout == timeUnixMS {
			value /= 1000
		}
		if err == nil && !(value > 0 && value < years) {
			err = errors.New("out of range")
		}
		if err == nil {
			seconds, rest := math.Modf(value)
			parsed = time.Unix(int64(seconds), int64(math.Round(rest*1e6))*1000)
		}
	default:
		parsed, err = time.ParseInLocation(f.layout, text, f.zone)
	}
	if err != nil || parsed.Unix() < 0 || parsed.Unix() >= years {
		return time.Time{}, fmt.Errorf("%.60q is not a time in the format %s", text, f.layout)
	}
	return parsed.UTC(), nil
}

// format writes a time for a URL, rounded down to what the format can say.
func (f timeFormat) format(t time.Time) string {
	switch f.layout {
	case timeRFC3339:
		return t.UTC().Format(time.RFC3339Nano)
	case timeUnix:
		return strconv.FormatInt(t.Unix(), 10)
	case timeUnixMS:
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	return t.In(f.zone).Format(f.layout)
}

// formatEnd writes the end of a span, rounded up to the second or millisecond.
func (f timeFormat) formatEnd(t time.Time) string {
	switch f.layout {
	case timeUnix:
		t = t.Add(time.Second - 1)
	case timeUnixMS:
		t = t.Add(time.Millisecond - 1)
	}
	return f.format(t)
}
