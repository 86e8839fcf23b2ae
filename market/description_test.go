package market

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

func TestTheDescriptionInThePackageCommentIsRight(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("market.go")
	require.NoError(t, err)
	var text strings.Builder
	for line := range strings.Lines(string(source)) {
		if code, found := strings.CutPrefix(line, "//\t"); found {
			text.WriteString(code)
		}
	}
	assert.JSONEq(t, example, text.String())
	v, err := parse([]byte(example), func(string) string { return "x" })
	require.NoError(t, err)
	assert.Equal(t, "example", v.name)
	assert.Equal(t, "Bearer x", v.headers["Authorization"])
	assert.Equal(t, newRate(60, time.Minute, 5), v.rate)
	assert.Equal(t, []string{"ACME", "BTC-USD"}, v.names)
}

const example = `{
	"name": "example",
	"batch": 50,
	"headers": {"Authorization": "Bearer ${EXAMPLE_TOKEN}"},
	"rate": {"requests": 60, "per": "1m", "burst": 5},
	"symbols": {"names": ["ACME", "BTC-USD"]},
	"latest": {
	  "url": "https://api.example.com/quotes?symbols={symbols}",
	  "list": "data", "symbol": "ticker", "price": "last", "volume": "size", "time": "at"
	},
	"history": {
	  "url": "https://api.example.com/trades?symbols={symbols}&start={from}&end={to}&limit={limit}&page={page}",
	  "list": "data", "symbol": "ticker", "price": "price", "volume": "size", "time": "at",
	  "limit": 1000, "next": "next_page"
	}
}`

func TestMistakesInADescriptionAreNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, says string }{
		"unknown field":           {`"batch"`, `"bunch"`, `unknown field "bunch"`},
		"unknown field within":    {`"ticker"`, `"ticker", "prise": "x"`, `unknown field "prise"`},
		"not JSON":                {`{`, `[`, "invalid character"},
		"something after it":      {`"next_page"` + "\n\t}\n}", `"next_page"` + "\n\t}\n} {}", "something follows"},
		"wrong type":              {`50`, `"50"`, "batch of type int"},
		"large batch":             {`50`, `5000`, "batch is 5000: it takes 1 to 1000"},
		"no batch":                {`"batch": 50,`, ``, "batch does not say how many"},
		"no latest":               {`"latest"`, `"history"`, "latest is missing"},
		"no url":                  {`"https://api.example.com/quotes?symbols={symbols}"`, `""`, "latest: url is missing"},
		"unknown place":           {`quotes?symbols={symbols}`, `quotes?symbols={tickers}`, "{tickers} has no meaning: it takes {symbol}, {symbols}"},
		"from in latest":          {`quotes?symbols={symbols}`, `quotes?symbols={symbols}&{from}`, "{from} has no meaning"},
		"no place":                {`quotes?symbols={symbols}`, `quotes`, "it takes {symbol} or {symbols}"},
		"both places":             {`quotes?symbols={symbols}`, `quotes?symbols={symbols}&{symbol}`, "it takes {symbol} or {symbols}"},
		"half a place":            {`quotes?symbols={symbols}`, `quotes?symbols={symbols}&{`, "a { or } without the other"},
		"other scheme":            {`https://api.example.com/quotes`, `ftp://api.example.com/quotes`, "not an absolute http or https URL"},
		"host with a place":       {`https://api.example.com/quotes?symbols={symbols}`, `https://{symbols}.example.com/`, "the host takes no values"},
		"nothing in environment":  {`${EXAMPLE_TOKEN}`, `${NONE}`, "headers: Authorization: the environment has no NONE"},
		"the same in a URL":       {`/quotes?`, `/quotes?${NONE}&`, "latest: url: the environment has no NONE"},
		"name of a header":        {`"Authorization"`, `"Author ization"`, "is not the name of a header"},
		"value of a header":       {`Bearer `, `Bearer\n`, "headers: Authorization: its value is not printable ASCII"},
		"no price":                {`"price": "last", `, ``, "latest: price is missing"},
		"no symbol":               {`"symbol": "ticker", "price": "last"`, `"price": "last"`, "latest: symbol is missing"},
		"path with an empty part": {`"last"`, `"last..x"`, `latest: price: path "last..x" has an empty part`},
		"path that ends early":    {`"last"`, `"last."`, `latest: price: path "last." has an empty part`},
		"path with a bracket":     {`"data"`, `"data.#(a==1"`, `a () without the other`},
		"path with a modifier":    {`"data"`, `"data.@nonsense"`, `there is no @nonsense`},
		"list in CSV":             {`"list": "data", "symbol": "ticker", "price": "last"`, `"format": "csv", "list": "data", "symbol": "ticker", "price": "last"`, "latest: list: there is no such thing in CSV"},
		"other format":            {`"list": "data", "symbol": "ticker", "price": "last"`, `"format": "xml", "symbol": "ticker", "price": "last"`, "format is \"xml\": it takes json or csv"},
		"format of time":          {`"time": "at"`, `"time": "at", "time_format": "15:04"`, `latest: time_format: "15:04" is not`},
		"time zone":               {`"time": "at"`, `"time": "at", "time_zone": "Mars/Olympus"`, `"Mars/Olympus" is not an IANA name`},
		"format of no time":       {`"volume": "size", "time": "at"`, `"volume": "size", "time_format": "unix"`, "time is missing"},
		"limit in latest":         {`"time": "at"`, `"time": "at", "limit": 3`, "limit, next and url_time_format are for history alone"},
		"no from":                 {`&start={from}`, ``, "history: url: it takes {from}"},
		"no limit":                {`"limit": 1000, `, ``, "history: url: it has {limit}, but limit does not say"},
		"page without next":       {`, "next": "next_page"`, ``, "it has {page}, but next does not say"},
		"rate of nothing":         {`"requests": 60`, `"requests": 0`, "rate: requests is 0"},
		"rate per what":           {`"1m"`, `"minute"`, `rate: per is "minute"`},
		"burst over rate":         {`"burst": 5`, `"burst": 61`, "rate: burst is 61: it takes 1 to the 60 requests"},
		"symbols of nowhere":      {`{"names": ["ACME", "BTC-USD"]}`, `{}`, "symbols: it takes names, or the url"},
		"symbols twice":           {`{"names": ["ACME", "BTC-USD"]}`, `{"names": ["ACME"], "url": "http://x/"}`, "symbols: it has names and a url"},
		"no symbol at all":        {`"ACME"`, `"AC ME"`, `symbols: names: "AC ME" is not`},
		"symbols with prices":     {`{"names": ["ACME", "BTC-USD"]}`, `{"url": "http://x/", "symbol": "s", "price": "p"}`, "it takes url, format, list and symbol alone"},
		"name":                    {`"example"`, `"a/b"`, `name: "a/b" is not`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, example, test.old)
			_, err := parse([]byte(strings.Replace(example, test.old, test.new, 1)), func(name string) string {
				if name == "EXAMPLE_TOKEN" {
					return "x"
				}
				return ""
			})
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestTimesAreReadAndWritten(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 5, 4, 12, 0, 0, 250e6, time.UTC)
	for layout, want := range map[string][3]string{
		"":                    {"2026-05-04T12:00:00.25Z", "2026-05-04T12:00:00.25Z", "2026-05-04T12:00:00.25Z"},
		"unix":                {"1777896000.25", "1777896000", "1777896001"},
		"unix_ms":             {"1777896000250", "1777896000250", "1777896000250"},
		"2006-01-02 15:04:05": {"2026-05-04 14:00:00.25", "2026-05-04 14:00:00", "2026-05-04 14:00:00"},
	} {
		f, err := newTimeFormat(layout, "Europe/Berlin")
		require.NoError(t, err, layout)
		parsed, err := f.parse(want[0])
		require.NoError(t, err, layout)
		assert.Equal(t, moment, parsed, layout)
		assert.Equal(t, want[1], f.format(moment), layout)
		assert.Equal(t, want[2], f.formatEnd(moment), layout)
		for _, wrong := range []string{"", "x", "-1", "1e300", "NaN", "99999-01-01T00:00:00Z"} {
			_, err := f.parse(wrong)
			assert.Error(t, err, "%s %s", layout, wrong)
		}
	}
}

func FuzzDescription(f *testing.F) {
	f.Add(example)
	f.Add(strings.ReplaceAll(jsonVendor, "BASE", "http://h"))
	f.Add(`{"symbols":{"url":"http://x/${A}","symbol":"@this"},"latest":{"url":"http://x/{symbol}","price":"..#.a","time_format":"unix"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parse([]byte(text), func(string) string { return "x" })
		if err != nil {
			return
		}
		batch := []string{"A"}
		require.NotEmpty(t, v.latest.url.expand(symbolValues(batch)))
		entries, err := v.latest.entries([]byte(`{"data":[{"ticker":"A","last":1,"at":"2026-05-04T12:00:00Z"}]}`))
		if err != nil {
			return
		}
		for entry := range entries {
			_, _ = v.latest.quote(entry, batch, noon)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(latestAnswer(quote("A", 1, 0), quote("B", 2, 1)))
	f.Add("s,p,v,t\nA,1,2,2026-05-04T12:00:00Z\n")
	f.Add(`[[[[{"data":null}]]]]`)
	f.Add("\"\n,,,\"")
	asJSON := answer{List: "data.quotes", Symbol: "s", Price: "p", Volume: "v", Time: "t"}
	asCSV := answer{Format: formatCSV, Symbol: "s", Price: "p", Volume: "v", Time: "t"}
	require.NoError(f, asJSON.check())
	require.NoError(f, asCSV.check())
	f.Fuzz(func(t *testing.T, body string) {
		for _, a := range []answer{asJSON, asCSV} {
			entries, err := a.entries([]byte(body))
			if err != nil {
				continue
			}
			for entry := range entries {
				quote, err := a.quote(entry, []string{"A", "B"}, noon)
				if err != nil {
					continue
				}
				body, err := json.Marshal(quote)
				require.NoError(t, err)
				read, err := contract.ParseQuote(body)
				require.NoError(t, err, "what is read can be published")
				require.True(t, read.Time.Equal(quote.Time))
			}
		}
	})
}
