package market

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/contract"
)

const (
	maxRecording = 512 << 20 // bytes of one file
	maxRows      = 5_000_000
	maxSymbols   = 10_000

	byteOrderMark = "\ufeff"
)

// Names of columns, best first.
var (
	priceColumns  = []string{"close", "price", "adj close"}
	symbolColumns = []string{"symbol", "ticker"}
)

// timeForms are how dates are written; those without a zone are UTC.
var timeForms = []string{
	"2006-01-02",
	"20060102",
	"2006-01-02T15:04",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05 Z07:00",
	"2006-01-02T15:04:05 Z0700",
}

// recordings are the rows read from files, by symbol, each by time.
type recordings map[string][]row

// begin is the time of the earliest row.
func (r recordings) begin() time.Time {
	var first time.Time
	for _, rows := range r {
		if first.IsZero() || rows[0].at.Before(first) {
			first = rows[0].at
		}
	}
	return first
}

// RecordingError says what about a CSV file cannot be replayed.
type RecordingError struct {
	File   string
	Line   int    // counted from 1; 0 when it is about the whole file
	Column string // its name in the header; empty when it is about the whole line
	Reason string
}

func (e *RecordingError) Error() string {
	text := e.File
	if e.Line > 0 {
		text += fmt.Sprintf(" line %d", e.Line)
	}
	if e.Column != "" {
		text += fmt.Sprintf(" column %q", e.Column)
	}
	return text + ": " + e.Reason
}

// readRecordings reads files and the files *.csv of folders.
func readRecordings(paths []string) (recordings, error) {
	all := recordings{}
	for _, path := range paths {
		files, err := recordingFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := all.readFile(file); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// recordingFiles are the file itself, or the files of a folder.
func recordingFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find recorded quotes: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("find recorded quotes: %w", err)
	}
	var files []string
	for _, entry := range entries {
		if !entry.IsDir() && strings.EqualFold(filepath.Ext(entry.Name()), ".csv") {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	if files == nil {
		return nil, fmt.Errorf("find recorded quotes: the folder %s has no file *.csv", path)
	}
	return files, nil
}

func (r recordings) readFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read recorded quotes: %w", err)
	}
	defer f.Close()
	bounded := &io.LimitedReader{R: f, N: maxRecording}
	if err := r.read(file, bounded); err != nil {
		return fmt.Errorf("read recorded quotes: %w", err)
	}
	if bounded.N == 0 {
		return fmt.Errorf("read recorded quotes: %w", &RecordingError{File: file, Reason: fmt.Sprintf("it has %d bytes or more; divide it", maxRecording)})
	}
	return nil
}

// read adds the rows of one file, whose name is the symbol where no column
// says another. What cannot be is a *RecordingError.
func (r recordings) read(file string, content io.Reader) error {
	text := bufio.NewReader(content)
	if mark, _ := text.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = text.Discard(len(mark)) // it was peeked at
	}
	reader := csv.NewReader(text)
	reader.ReuseRecord, reader.TrimLeadingSpace = true, true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return &RecordingError{File: file, Reason: "it is empty; the first line has to name the columns"}
	}
	if err != nil {
		return malformed(file, err)
	}
	columns, err := findColumns(file, header)
	if err != nil {
		return err
	}
	read := recordings{}
	for count := 0; ; count++ {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return malformed(file, err)
		}
		line, _ := reader.FieldPos(0)
		if count == maxRows {
			return &RecordingError{File: file, Line: line, Reason: fmt.Sprintf("there are more than %d rows", maxRows)}
		}
		symbol, parsed, err := columns.parse(record, line)
		if err != nil {
			return err
		}
		read[symbol] = append(read[symbol], parsed)
	}
	if len(read) == 0 {
		return &RecordingError{File: file, Reason: "it has no rows below the header"}
	}
	return r.add(file, read)
}

// add takes over the rows of a file, and puts them in order.
func (r recordings) add(file string, read recordings) error {
	for symbol, rows := range read {
		slices.SortStableFunc(rows, func(a, b row) int { return a.at.Compare(b.at) })
		for i := 1; i < len(rows); i++ {
			if rows[i].at.Equal(rows[i-1].at) {
				return &RecordingError{File: file, Line: rows[i].line, Reason: fmt.Sprintf(
					"%s has the same time %s as on line %d", symbol, rows[i].at.Format(time.RFC3339Nano), rows[i-1].line)}
			}
		}
		if _, ok := r[symbol]; ok {
			return &RecordingError{File: file, Reason: fmt.Sprintf("another file has rows of %s already; put them into one", symbol)}
		}
		r[symbol] = rows
	}
	if len(r) > maxSymbols {
		return &RecordingError{File: file, Reason: fmt.Sprintf("there are more than %d symbols", maxSymbols)}
	}
	return nil
}

// malformed is the error of lines that are not CSV.
func malformed(file string, err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &RecordingError{File: file, Line: parse.Line, Reason: parse.Err.Error()}
	}
	return fmt.Errorf("%s: %w", file, err)
}

// columns are the places of what a row needs; -1 is a column that is not there.
type columns struct {
	file                            string
	header                          []string
	date, clock, symbol, price, vol int
	name                            string // the symbol where there is no column
}

func findColumns(file string, header []string) (columns, error) {
	c := columns{file: file, header: slices.Clone(header)}
	for i, name := range c.header {
		c.header[i] = strings.TrimSpace(name)
	}
	find := func(names ...string) int {
		for _, name := range names {
			if i := slices.IndexFunc(c.header, func(column string) bool { return strings.EqualFold(column, name) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	missing := func(what string) (columns, error) {
		return columns{}, &RecordingError{File: file, Line: 1, Reason: fmt.Sprintf("there is no column %s; found %.200q, separated by commas", what, c.header)}
	}
	c.date, c.clock = find("timestamp", "date", "time"), -1
	if c.date < 0 {
		return missing("date, time or timestamp")
	}
	if strings.EqualFold(c.header[c.date], "date") {
		c.clock = find("time")
	}
	if c.price = find(priceColumns...); c.price < 0 {
		return missing("close, price or adj close")
	}
	c.vol = find("volume")
	if c.symbol = find(symbolColumns...); c.symbol < 0 {
		base := filepath.Base(file)
		c.name = strings.TrimSuffix(base, filepath.Ext(base))
		if !contract.ValidSymbol(c.name) {
			return columns{}, &RecordingError{File: file, Line: 1, Reason: fmt.Sprintf(
				"there is no column symbol or ticker, and the file's name %.40q is no symbol (1 to 32 letters, digits and . ^ = _ : / -)", c.name)}
		}
	}
	return c, nil
}

// parse reads a row.
func (c columns) parse(record []string, line int) (symbol string, parsed row, err error) {
	wrong := func(column int, reason string) (string, row, error) {
		return "", row{}, &RecordingError{File: c.file, Line: line, Column: c.header[column], Reason: reason}
	}
	cell := func(column int) string { return strings.TrimSpace(record[column]) }
	parsed.line = line
	when := cell(c.date)
	if c.clock >= 0 {
		when += " " + cell(c.clock)
	}
	var ok bool
	if parsed.at, ok = parseTime(when); !ok {
		return wrong(c.date, fmt.Sprintf("%.40q is not a time such as 2024-05-31, 2024-05-31 15:04:05, 2024-05-31T15:04:05Z or seconds since 1970, between 1970 and 2200", when))
	}
	if parsed.price, ok = parseNumber(cell(c.price)); !ok || parsed.price < leastPrice || parsed.price > mostPrice {
		return wrong(c.price, fmt.Sprintf("%.40q is not a price between %g and %g", cell(c.price), leastPrice, mostPrice))
	}
	if c.vol >= 0 {
		if parsed.volume, ok = parseNumber(cell(c.vol)); !ok || parsed.volume < 0 || parsed.volume > mostVolume {
			return wrong(c.vol, fmt.Sprintf("%.40q is not a volume between 0 and %g", cell(c.vol), mostVolume))
		}
	}
	symbol = c.name
	if c.symbol >= 0 {
		if symbol = strings.Clone(cell(c.symbol)); !contract.ValidSymbol(symbol) {
			return wrong(c.symbol, fmt.Sprintf("%.40q is not a symbol of 1 to 32 letters, digits and . ^ = _ : / -", symbol))
		}
	}
	return symbol, parsed, nil
}

func parseNumber(text string) (float64, bool) {
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && number == number
}

// parseTime reads a date, a date with a time of day, or seconds since 1970.
func parseTime(text string) (time.Time, bool) {
	text = strings.Replace(text, " ", "T", 1)
	for _, form := range timeForms {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), !at.Before(earliest) && at.Before(latest)
		}
	}
	seconds, ok := parseNumber(text)
	if !ok || seconds < 0 || seconds >= float64(latest.Unix()) {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(seconds * 1e6)).UTC(), true
}
