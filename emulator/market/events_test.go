package market

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

// bothFeeds are one that is told of events and one that is not.
func bothFeeds(t *testing.T) (told, plain *feed) {
	t.Helper()
	told, plain = newFeed(t, Options{Rate: -1}), newFeed(t, Options{Rate: -1})
	time.Sleep(time.Hour)
	return told, plain
}

// ratios are how the told prices are to the plain ones, by seconds after a time.
func ratios(told, plain *feed, from time.Time, seconds int) []float64 {
	var ratios []float64
	to := from.Add(time.Duration(seconds) * time.Second)
	expected := plain.history("DUCAT-USD", from, to)
	for i, q := range told.history("DUCAT-USD", from, to) {
		ratios = append(ratios, q.Price/expected[i].Price)
	}
	return ratios
}

const tolerance = 1e-5 // prices are rounded

func TestCrashStaysDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, plain := bothFeeds(t)
		begin := time.Now()
		told.script(`{"kind":"crash","symbol":"DUCAT-USD","percent":20,"after":"10s","for":"4s"}`)
		require.InDeltaSlice(t, []float64{1, 1, 0.95, 0.9, 0.85, 0.8, 0.8}, ratios(told, plain, begin.Add(8*time.Second), 7), tolerance)
		require.InDeltaSlice(t, []float64{0.8}, ratios(told, plain, begin.AddDate(0, 1, 0), 1), tolerance)
		require.Equal(t, plain.history("ACME", begin, begin.Add(time.Minute)), told.history("ACME", begin, begin.Add(time.Minute)), "another symbol")

		volumes := func(f *feed) (v []float64) {
			for _, q := range f.history("DUCAT-USD", begin.Add(8*time.Second), begin.Add(15*time.Second)) {
				v = append(v, q.Volume)
			}
			return v
		}
		usual := volumes(plain)
		for i := 1; i <= 4; i++ { // the seconds of the crash
			usual[i] *= surge
		}
		require.Equal(t, usual, volumes(told))
	})
}

func TestSpikeComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, plain := bothFeeds(t)
		begin := time.Now()
		told.script(`{"kind":"spike","percent":10,"for":"8s"}`)
		require.InDeltaSlice(t, []float64{1, 1.05, 1.1, 1.1, 1.1, 1.1, 1.1, 1.05, 1, 1}, ratios(told, plain, begin.Add(-time.Second), 10), tolerance)
	})
}

func TestGapJumps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, plain := bothFeeds(t)
		begin := time.Now()
		told.script(`[{"kind":"gap","percent":-10,"after":"2s"},{"kind":"gap","percent":100,"after":"4s","for":"2s"}]`)
		require.InDeltaSlice(t, []float64{1, 0.9, 0.9, 1.8, 1.8, 0.9, 0.9}, ratios(told, plain, begin, 7), tolerance)
		for _, q := range told.history("DUCAT-USD", begin, begin.Add(time.Minute)) {
			require.NoError(t, q.Check())
		}
	})
}

func TestHaltHasNoQuotes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, plain := bothFeeds(t)
		begin := time.Now()
		told.script(`{"kind":"halt","symbol":"ACME","after":"2s","for":"3s"}`)
		expected := plain.history("ACME", begin, begin.Add(6*time.Second))
		require.Equal(t, append(expected[:1:1], expected[4:]...), told.history("ACME", begin, begin.Add(6*time.Second)))
		time.Sleep(4 * time.Second)
		require.Equal(t, expected[:1], told.get("/v1/quotes?symbols=ACME").Quotes)
		require.NotEqual(t, expected[:1], told.get("/v1/quotes?symbols=WOBBLE").Quotes)
		time.Sleep(2 * time.Second)
		require.Equal(t, expected[5:6], told.get("/v1/quotes?symbols=ACME").Quotes)
	})
}

// streamed reads the stream for so long.
func (f *feed) streamed(symbols string, span time.Duration) (quotes []contract.Quote) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/v1/stream?symbols="+symbols, nil).WithContext(ctx)
	f.handler.ServeHTTP(w, r)
	require.Equal(f.t, http.StatusOK, w.Code, "%s", w.Body)
	for block := range strings.SplitSeq(w.Body.String(), "\n\n") {
		if block == "" || block == ":" {
			continue
		}
		data, ok := strings.CutPrefix(block, "data: ")
		require.True(f.t, ok, "%q", block)
		q, err := contract.ParseQuote([]byte(data))
		require.NoError(f.t, err)
		quotes = append(quotes, q)
	}
	return quotes
}

func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{})
		time.Sleep(time.Hour + 100*time.Millisecond)
		begin := time.Now()
		go func() {
			time.Sleep(3500 * time.Millisecond)
			_, err := f.Inject(contract.Quote{Symbol: "WOBBLE", Price: 42.5})
			assert.NoError(t, err)
		}()
		quotes := f.streamed("WOBBLE,ACME", 10*time.Second)
		expected, err := f.History([]string{"ACME", "WOBBLE"}, begin, begin.Add(10*time.Second))
		require.NoError(t, err)
		require.Len(t, expected, 21)
		require.Equal(t, expected, quotes)
		require.Equal(t, begin.Add(3500*time.Millisecond).UTC(), quotes[6].Time)
	})
}

func TestStreamBeatsInSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{})
		f.script(`{"kind":"halt","for":"1h"}`)
		ctx, cancel := context.WithTimeout(context.Background(), 31*time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/stream?symbols=ACME", nil).WithContext(ctx))
		require.Equal(t, ":\n\n:\n\n:\n\n", w.Body.String())
	})
}

func TestDuplicate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, plain := bothFeeds(t)
		begin := time.Now()
		told.script(`{"kind":"duplicate","symbol":"ACME","for":"5s"}`)
		time.Sleep(1500 * time.Millisecond)
		two := told.get("/v1/quotes?symbols=ACME").Quotes
		require.Len(t, two, 2)
		require.Equal(t, two[0], two[1])
		require.Len(t, told.get("/v1/quotes?symbols=WOBBLE").Quotes, 1)
		require.Len(t, told.get(historyPath("ACME,WOBBLE", begin, time.Now(), "")).Quotes, 3)
		quotes := told.streamed("ACME", 5*time.Second) // seconds 2, 3, 4, and then 5, 6 once
		expected := plain.history("ACME", begin.Add(1500*time.Millisecond), begin.Add(6500*time.Millisecond))
		require.Equal(t, []contract.Quote{
			expected[0], expected[0], expected[1], expected[1], expected[2], expected[2], expected[3], expected[4],
		}, quotes)
		require.Len(t, told.get(historyPath("ACME", begin, begin.Add(5*time.Second), "")).Quotes, 5, "history is right again")
		require.Equal(t, expected, told.history("ACME", begin.Add(1500*time.Millisecond), time.Now()))
	})
}

func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, _ := bothFeeds(t)
		begin := time.Now()
		told.script(`{"kind":"out_of_order","for":"1m"}`)
		truth := told.history("ACME", begin, begin.Add(70*time.Second))

		polled, back := []contract.Quote{}, 0
		for range 50 {
			time.Sleep(time.Second)
			q := told.get("/v1/quotes?symbols=ACME").Quotes[0]
			require.WithinRange(t, q.Time, begin.Add(-time.Second), time.Now())
			if len(polled) > 0 && q.Time.Before(polled[len(polled)-1].Time) {
				back++
			}
			polled = append(polled, q)
		}
		require.Greater(t, back, 3, "polls go back in time")

		history := told.get(historyPath("ACME", begin, begin.Add(10*time.Second), "&limit=6"))
		require.Len(t, history.Quotes, 6)
		require.Equal(t, history.Next, history.Quotes[0].Time, "newest first")
		require.True(t, history.Quotes[5].Time.Before(history.Quotes[0].Time))

		begun := time.Now()
		streamed := told.streamed("ACME", 20*time.Second)
		back = 0
		for i, q := range streamed[1:] {
			require.False(t, q.Time.Equal(streamed[i].Time))
			if q.Time.Before(streamed[i].Time) {
				back++
			}
		}
		require.Positive(t, back)
		for _, q := range told.history("ACME", begun, begun.Add(17*time.Second)) {
			require.Contains(t, streamed, q, "each comes in the end")
		}
		require.Equal(t, truth, told.get(historyPath("ACME", begin, begin.Add(70*time.Second), "")).Quotes, "history is right again")
	})
}

func TestFeedDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{Rate: -1})
		time.Sleep(time.Hour)
		f.script(`[{"kind":"feed_down","after":"2500ms","for":"10s"},{"kind":"feed_down","symbol":"ACME","cut":true,"after":"20s","for":"10s"}]`)
		begin := time.Now()
		f.get("/v1/quotes?symbols=ACME")
		cut := func(path string) {
			t.Helper()
			require.PanicsWithValue(t, http.ErrAbortHandler, func() { f.call(http.MethodGet, path, "") })
		}
		cut("/v1/stream?symbols=WOBBLE")
		require.Equal(t, 2500*time.Millisecond, time.Since(begin), "the stream is cut at that moment")
		for _, path := range []string{"/v1/quotes?symbols=ACME", historyPath("WOBBLE", begin, begin, ""), "/v1/symbols", "/v1/stream?symbols=ACME"} {
			f.refused(f.call(http.MethodGet, path, ""), http.StatusServiceUnavailable)
		}
		time.Sleep(10 * time.Second)
		f.get("/v1/quotes?symbols=ACME")
		time.Sleep(10 * time.Second)
		cut("/v1/quotes?symbols=WOBBLE,ACME")
		f.get("/v1/quotes?symbols=WOBBLE")
		require.Equal(t, http.StatusOK, f.call(http.MethodGet, "/v1/symbols", "").Code)
		require.Len(t, f.history("ACME", begin, time.Now()), 22, "the market went on")
	})
}

func TestRateLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{Rate: -1})
		f.script(`{"kind":"rate_limited","for":"5s"}`)
		time.Sleep(1800 * time.Millisecond)
		w := f.call(http.MethodGet, "/v1/quotes?symbols=ACME", "")
		f.refused(w, http.StatusTooManyRequests)
		require.Equal(t, "4", w.Header().Get("Retry-After"))
		time.Sleep(4 * time.Second)
		f.get("/v1/quotes?symbols=ACME")
	})
}

func TestSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{Rate: -1})
		f.script(`{"kind":"slow","symbol":"ACME","delay":"3s","for":"5s"}`)
		begin := time.Now()
		q := f.get("/v1/quotes?symbols=ACME").Quotes[0]
		require.Equal(t, 3*time.Second, time.Since(begin))
		require.True(t, q.Time.Equal(time.Now()), "it answers what is so then")
		f.get("/v1/quotes?symbols=WOBBLE")
		require.Equal(t, 3*time.Second, time.Since(begin))
		time.Sleep(2 * time.Second)
		f.get("/v1/quotes?symbols=ACME")
		require.Equal(t, 5*time.Second, time.Since(begin))

		f.script(`{"kind":"slow","delay":"10m","for":"1h"}`)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.PanicsWithValue(t, http.ErrAbortHandler, func() {
			f.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/symbols", nil).WithContext(ctx))
		})
	})
}

func TestInjectedQuotesGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told, plain := bothFeeds(t)
		begin := time.Now()
		time.Sleep(2500 * time.Millisecond)
		w := told.call(http.MethodPost, "/v1/quotes", `{"symbol":"ACME","price":42.5,"volume":11}`)
		require.Equal(t, http.StatusCreated, w.Code, "%s", w.Body)
		q, err := contract.ParseQuote(w.Body.Bytes())
		require.NoError(t, err)
		require.Equal(t, contract.Quote{Symbol: "ACME", Price: 42.5, Volume: 11, Time: time.Now().UTC()}, q)
		require.Equal(t, []contract.Quote{q}, told.get("/v1/quotes?symbols=ACME").Quotes)

		expected := plain.history("ACME", begin, begin.Add(5*time.Second))
		quotes := told.history("ACME", begin, begin.Add(5*time.Second))
		require.Equal(t, expected[:2], quotes[:2])
		require.Equal(t, q, quotes[2])
		exact := plain.series["ACME"]
		for i, later := range quotes[3:] {
			require.Equal(t, expected[2+i].Time, later.Time)
			require.Equal(t, expected[2+i].Volume, later.Volume)
			factor := 42.5 / exact.price(q.Time.UnixNano())
			require.Equal(t, rounded(factor*exact.price(later.Time.UnixNano())), later.Price)
		}

		_, err = told.Inject(contract.Quote{Symbol: "ACME", Price: 9, Time: begin.Add(time.Second)})
		require.NoError(t, err)
		quotes = told.history("ACME", begin, begin.Add(5*time.Second))
		require.Equal(t, contract.Quote{Symbol: "ACME", Price: 9, Time: begin.Add(time.Second).UTC()}, quotes[0], "in the place of another")
		require.Equal(t, q, quotes[2])
		require.Len(t, quotes, 6)
	})
}

func TestEventsAreKeptOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, Options{})
		later := f.script(`{"kind":"crash","symbol":"ACME","percent":20,"for":"1m","after":"1h"}`)[0]
		require.Equal(t, time.Now().Add(time.Hour).UTC(), later.At)
		require.Zero(t, later.After)
		first := f.script(`[{"kind":"halt","for":"1m"},{"kind":"halt","for":"60s"}]`)
		require.Equal(t, first[0], first[1])
		list := func() []Event {
			var body eventsBody
			require.NoError(t, json.Unmarshal(f.call(http.MethodGet, "/v1/events", "").Body.Bytes(), &body))
			return body.Events
		}
		require.Equal(t, []Event{first[0], later}, list())
		again, err := json.Marshal(list())
		require.NoError(t, err)
		f.script(string(again))
		require.Equal(t, []Event{first[0], later}, list())

		require.Equal(t, http.StatusNoContent, f.call(http.MethodDelete, "/v1/events/"+first[0].ID, "").Code)
		require.Equal(t, []Event{later}, list())
		require.NotEmpty(t, f.history("ACME", time.Now(), time.Now().Add(time.Minute)))
		f.refused(f.call(http.MethodDelete, "/v1/events/"+first[0].ID, ""), http.StatusNotFound)

		many := make([]Event, maxEvents)
		for i := range many {
			many[i] = Event{Kind: Halt, For: Duration(time.Duration(i+1) * time.Minute)}
		}
		_, err = f.Add(many...)
		require.ErrorIs(t, err, errFull)
		require.Equal(t, []Event{later}, list(), "all or none")
	})
}

func TestManyEventsTogetherLeaveAPrice(t *testing.T) {
	t.Parallel()
	f := newFeed(t, Options{})
	for _, percent := range []float64{10_000, -99.9} {
		events := make([]Event, 450)
		for i := range events {
			events[i] = Event{Kind: Gap, Percent: percent, At: noon.Add(time.Duration(i) * time.Nanosecond)}
		}
		_, err := f.Add(events...)
		require.NoError(t, err)
		for _, q := range f.history("ACME", noon, noon.Add(3*time.Second)) {
			require.NoError(t, q.Check())
			_, err := json.Marshal(q)
			require.NoError(t, err)
		}
	}
}

func TestHistoryIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		recording := filepath.Join(dir, "HARBOUR.csv")
		require.NoError(t, os.WriteFile(recording, []byte("date,close\n2024-01-01,10\n2024-01-02,11\n2024-01-03,12\n"), 0o600))
		script := filepath.Join(dir, "script.json")
		require.NoError(t, os.WriteFile(script, []byte(`[{"kind":"gap","percent":5,"at":"2000-01-01T00:00:30Z"}]`), 0o600))
		options := Options{Dir: filepath.Join(dir, "kept"), Script: script, CSV: []string{recording}, Speed: 24 * 60 * 60}
		symbols := []string{"ACME", "WOBBLE", "HARBOUR"}
		begin := time.Now()

		f := newFeed(t, options)
		time.Sleep(10500 * time.Millisecond)
		f.script(`[{"kind":"crash","symbol":"ACME","percent":20,"for":"10s"},{"kind":"halt","for":"5s","after":"20s"}]`)
		_, err := f.Inject(contract.Quote{Symbol: "WOBBLE", Price: 3.25, Volume: 2})
		require.NoError(t, err)
		before, err := f.History(symbols, begin.Add(-time.Second), begin.Add(time.Minute))
		require.NoError(t, err)

		time.Sleep(time.Hour)
		f = newFeed(t, options)
		after, err := f.History(symbols, begin.Add(-time.Second), begin.Add(time.Minute))
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Len(t, f.book.events, 3)

		kept := filepath.Join(options.Dir, bookFile)
		for _, content := range []string{"{", `{"started":"2000-01-01T00:00:00Z","events":[{"kind":"boom"}]}`, `{"quotes":[{"symbol":"ACME","price":-1}]}`} {
			require.NoError(t, os.WriteFile(kept, []byte(content), 0o600))
			_, err = New(options)
			require.ErrorContains(t, err, kept)
			require.ErrorContains(t, err, "remove the file")
		}
	})
}

func TestAScriptThatCannotBe(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "script.json")
	for content, says := range map[string]string{
		`[{"kind":"boom"}]`:                   `event 1: kind "boom"`,
		`[{"kind":"halt",`:                    "unexpected EOF",
		strings.Repeat(" ", maxScript+1):      "bytes",
		`{"kind":"halt","for":"1s"} trailing`: "array",
	} {
		require.NoError(t, os.WriteFile(script, []byte(content), 0o600))
		_, err := New(Options{Script: script})
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, script)
	}
}

func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		`[]`, `{}`, `null`, `[null]`, `[[]]`,
		`{"kind":"crash","symbol":"ACME","percent":20,"for":"1m","after":"1h"}`,
		`[{"kind":"gap","percent":-99.9,"at":"2026-05-04T12:00:00.5+02:00"},{"kind":"spike","percent":1e4,"for":"1ns"}]`,
		`[{"kind":"halt","for":"8784h","at":"1970-01-01T00:00:00Z"},{"kind":"out_of_order","for":"1h"},{"kind":"duplicate","for":"1h"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := parseEvents(data)
		if err != nil {
			return
		}
		m, err := New(Options{Interval: time.Hour})
		require.NoError(t, err)
		if _, err = m.Add(events...); err != nil || len(events) == 0 {
			return
		}
		kept, err := json.Marshal(m.book.events)
		require.NoError(t, err)
		again, err := parseEvents(kept)
		require.NoError(t, err)
		require.Equal(t, m.book.events, again, "read as written")
		for _, e := range again {
			require.Equal(t, e, e.settled(noon))
			quotes, err := m.History([]string{"ACME"}, e.At.Add(-2*time.Hour), e.At.Add(2*time.Hour))
			require.NoError(t, err)
			for _, q := range quotes {
				require.NoError(t, q.Check())
			}
		}
		if tapes, err := m.tapes(m.book, []string{"ACME"}); err == nil {
			tapes[0].latest(noon.UnixNano())
		}
	})
}
