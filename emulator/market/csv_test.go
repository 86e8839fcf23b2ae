package market

import (
	"errors"
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

func TestRecordings(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute, second int) time.Time {
		return time.Date(2024, 5, day, hour, minute, second, 0, time.UTC)
	}
	for _, test := range []struct {
		name, file, content string
		symbol              string
		rows                []row
	}{
		{"daily, newest first", "HARBOUR.csv",
			"Date,Open,High,Low,Close,Adj Close,Volume\n2024-05-02,1,2,3,11.5,9,200\n2024-05-01,1,2,3,10.5,9,100\n",
			"HARBOUR", []row{{at(1, 0, 0, 0), 10.5, 100, 3}, {at(2, 0, 0, 0), 11.5, 200, 2}}},
		{"mark, carriage returns, spaces, quotes", "x.csv",
			"\ufeff\"DATE\", \"TICKER\",PRICE \r\n2024-05-01 15:04:05, BRK.B , 1.5\r\n",
			"BRK.B", []row{{at(1, 15, 4, 5), 1.5, 0, 2}}},
		{"adjusted alone", "A.csv", "date,adj close\n20240501,2\n", "A", []row{{at(1, 0, 0, 0), 2, 0, 2}}},
		{"date and time", "A.csv", "date,time,close\n2024-05-01,09:30,2\n2024-05-01,09:31:30,3\n", "A",
			[]row{{at(1, 9, 30, 0), 2, 0, 2}, {at(1, 9, 31, 30), 3, 0, 3}}},
		{"zones", "A.csv", "time,close\n2024-05-01T09:30:00Z,1\n2024-05-01 05:31:00-04:00,2\n2024-05-01T11:32+02:00,3\n2024-05-01T11:33:00+0200,4\n", "A",
			[]row{{at(1, 9, 30, 0), 1, 0, 2}, {at(1, 9, 31, 0), 2, 0, 3}, {at(1, 9, 32, 0), 3, 0, 4}, {at(1, 9, 33, 0), 4, 0, 5}}},
		{"seconds since 1970", "A.csv", "Timestamp,Price\n1714555800,1\n1714555801.5,2\n", "A",
			[]row{{at(1, 9, 30, 0), 1, 0, 2}, {at(1, 9, 30, 1).Add(500 * time.Millisecond), 2, 0, 3}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			read := recordings{}
			require.NoError(t, read.read(test.file, strings.NewReader(test.content)))
			require.Equal(t, recordings{test.symbol: test.rows}, read)
		})
	}
}

func TestRecordingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file, content string
		line                int
		column, says        string
	}{
		{"empty", "A.csv", "", 0, "", "empty"},
		{"header alone", "A.csv", "date,close\n", 0, "", "no rows"},
		{"no date", "A.csv", "day,close\n", 1, "", `found ["day" "close"]`},
		{"no price", "A.csv", "date;close\n", 1, "", `found ["date;close"]`},
		{"no price either", "A.csv", "date,open\n", 1, "", "no column close, price or adj close"},
		{"no symbol", "my quotes.csv", "date,close\n", 1, "", `"my quotes"`},
		{"too few cells", "A.csv", "date,close\n2024-05-01,1\n2024-05-02\n", 3, "", "wrong number of fields"},
		{"quote left open", "A.csv", "date,close\n2024-05-01,\"1\n", 2, "", "quote"},
		{"American date", "A.csv", "date,close\n05/31/2024,1\n", 2, "date", `"05/31/2024"`},
		{"no such day", "A.csv", "Date,close\n2024-02-30,1\n", 2, "Date", `"2024-02-30"`},
		{"before all", "A.csv", "Date,close\n1969-02-20,1\n", 2, "Date", `"1969-02-20"`},
		{"milliseconds", "A.csv", "Timestamp,close\n1714555800000,1\n", 2, "Timestamp", `"1714555800000"`},
		{"no number", "A.csv", "date,close\n2024-05-01,1\n\n2024-05-02,null\n", 4, "close", `"null"`},
		{"not a number", "A.csv", "date,close\n2024-05-01,NaN\n", 2, "close", `"NaN"`},
		{"nothing", "A.csv", "date,close\n2024-05-01,0\n", 2, "close", `"0"`},
		{"infinite", "A.csv", "date,close\n2024-05-01,Inf\n", 2, "close", `"Inf"`},
		{"negative volume", "A.csv", "date,close,Volume\n2024-05-01,1,-5\n", 2, "Volume", `"-5"`},
		{"bad symbol", "A.csv", "date,close,Symbol\n2024-05-01,1,A B\n", 2, "Symbol", `"A B"`},
		{"same time", "A.csv", "date,close\n2024-05-01,1\n2024-05-02,1\n2024-05-01,1\n", 4, "", "on line 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := recordings{}.read(test.file, strings.NewReader(test.content))
			var wrong *RecordingError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, test.file, wrong.File)
			assert.Equal(t, test.line, wrong.Line)
			assert.Equal(t, test.column, wrong.Column)
			assert.Contains(t, wrong.Reason, test.says)
			assert.Contains(t, err.Error(), test.file)
		})
	}
}

func TestRecordingsFromAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	_, err := readRecordings([]string{dir})
	require.ErrorContains(t, err, "no file *.csv")
	write("A.csv", "date,close\n2024-05-01,1\n")
	write("several.CSV", "date,close,symbol\n2024-05-01,1,B\n2024-05-01,2,C\n")
	write("notes.txt", "none")
	read, err := readRecordings([]string{dir})
	require.NoError(t, err)
	require.Len(t, read, 3)
	require.Len(t, read["C"], 1)
	_, err = readRecordings([]string{dir, filepath.Join(dir, "A.csv")})
	var wrong *RecordingError
	require.ErrorAs(t, err, &wrong)
	require.Contains(t, wrong.Reason, "another file has rows of A")
}

func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "ACME.csv")
		require.NoError(t, os.WriteFile(file, []byte("time,close,volume\n"+
			"2024-05-01T09:30:00Z,10,100\n2024-05-01T09:31:00Z,11,110\n2024-05-01T09:32:00Z,12.345,120\n2024-05-01T09:34:00Z,14,140\n"), 0o600))
		begin := time.Now()
		f := newFeed(t, Options{
			CSV: []string{file}, Speed: 60, Rate: -1,
			ReplayFrom: time.Date(2024, 5, 1, 9, 31, 0, 0, time.UTC),
		})
		quote := func(second int, price, volume float64) contract.Quote {
			return contract.Quote{Symbol: "ACME", Price: price, Volume: volume, Time: begin.Add(time.Duration(second) * time.Second).UTC()}
		}
		all := []contract.Quote{quote(-1, 10, 100), quote(0, 11, 110), quote(1, 12.35, 120), quote(3, 14, 140)}
		require.Equal(t, all, f.history("ACME", begin.Add(-time.Hour), begin.Add(time.Hour)))
		require.Equal(t, all[:2], f.get(historyPath("ACME", begin.Add(-time.Hour), begin.Add(time.Hour), "")).Quotes)
		require.Equal(t, all[2:], f.streamed("ACME", 10*time.Second))
		require.Equal(t, all[3:], f.get("/v1/quotes?symbols=ACME").Quotes, "the last one stays")
		require.Len(t, f.get("/v1/quotes?symbols=ACME,WOBBLE").Quotes, 2)

		bars := f.get(historyPath("ACME", begin.Add(-time.Hour), begin.Add(time.Hour), "&interval=1m")).Quotes
		require.Equal(t, []contract.Quote{quote(0, 11, 210), quote(10, 14, 260)}, bars)

		f.script(`{"kind":"halt","symbol":"ACME","at":"` + begin.Add(time.Second).Format(time.RFC3339) + `","for":"1s"}`)
		require.Equal(t, append(all[:2:2], all[3]), f.history("ACME", begin.Add(-time.Hour), time.Now()))
		_, err := f.Inject(contract.Quote{Symbol: "ACME", Price: 22, Time: begin})
		require.NoError(t, err)
		require.Equal(t, []contract.Quote{quote(0, 22, 0), quote(3, 28, 140)}, f.history("ACME", begin.Add(-time.Millisecond), time.Now()))
	})
}

func TestReplayBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "EARLY.csv"), []byte("date,close\n2024-05-01,1\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "LATE.csv"), []byte("date,close\n2024-05-02,2\n2024-05-03,3\n"), 0o600))
		f := newFeed(t, Options{CSV: []string{dir}})
		quotes := f.get("/v1/quotes?symbols=EARLY,LATE").Quotes
		require.Len(t, quotes, 1, "one has no quote yet")
		require.Equal(t, time.Now().UTC(), quotes[0].Time)
		time.Sleep(24 * time.Hour)
		require.Len(t, f.get("/v1/quotes?symbols=EARLY,LATE").Quotes, 2)
	})
}

func TestReplayAtAnySpeedKeepsAllRows(t *testing.T) {
	t.Parallel()
	rows := make([]row, 1000)
	for i := range rows {
		rows[i] = row{at: noon.Add(time.Duration(i) * time.Microsecond), price: 1}
	}
	series := replay(rows, noon, noon, 1e6)
	for i := range series[1:] {
		require.Greater(t, series[i+1].at, series[i].at)
	}
	slow := replay([]row{{at: earliest}, {at: noon}, {at: latest}}, noon, noon, 1e-6)
	require.Equal(t, noon.UnixNano(), slow[1].at)
	require.Less(t, slow[0].at, slow[1].at)
	require.Equal(t, latest.UnixNano(), slow[2].at)
}

func FuzzRecordings(f *testing.F) {
	for _, seed := range []string{
		"date,close\n2024-05-01,1\n",
		"\ufeffDate,Time,Adj Close,Volume,Ticker\n2024-05-01,09:30,1.5,3,BRK.B\n",
		"timestamp,price\n1714555800,1\n1714555801.5,2\n",
		"time,close\n\"2024-05-01 05:31:00-04:00\",2\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		read := recordings{}
		if err := read.read("A.csv", strings.NewReader(content)); err != nil {
			var wrong *RecordingError
			require.True(t, errors.As(err, &wrong), "%v", err)
			return
		}
		for symbol, rows := range read {
			series := replay(rows, read.begin(), noon, 1)
			require.Len(t, series, len(rows))
			before := noon.UnixNano() - 1
			for _, m := range series {
				require.Greater(t, m.at, before)
				before = m.at
				tape := newTape(symbol, series, &book{})
				require.NoError(t, tape.quote(m.at).Check())
			}
		}
	})
}
