package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/operate/demo"
)

// Both see the same stack, one after the other.
func TestDemo(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	t.Run("table", func(t *testing.T) {
		c := startProgram(t, "demo", "--api", stack.URL("uploads"))
		require.Equal(t, 0, c.wait(), &c.stderr)
		assert.Empty(t, c.stderr.String(), "no progress bar where there is no terminal")
		checkTable(t, c.stdout.String())
	})
	t.Run("JSON, with broken files", func(t *testing.T) {
		folder := mixedFolder(t)
		c := startProgram(t, "demo", folder, "--json", "--concurrency", "2", "--api", stack.URL("uploads")+"/")
		require.Equal(t, 0, c.wait(), &c.stderr)
		checkReport(t, c.stdout.String())

		c = startProgram(t, "demo", folder, "--api", stack.URL("uploads"))
		require.Equal(t, 0, c.wait(), &c.stderr)
		assert.Regexp(t, `2 processed, 2 rejected, 0 failed`, c.stdout.String())
		assert.Regexp(t, `(?m)^  rejected inner/words\.png: [A-Z].+\.$`, c.stdout.String())
	})
	t.Run("broken files alone", func(t *testing.T) {
		folder := t.TempDir()
		writeFile(t, folder, "words\x1b[2J\n.png", []byte("These are words."))
		c := startProgram(t, "demo", folder, "--api", stack.URL("uploads"))
		require.Equal(t, 0, c.wait(), &c.stderr)
		assert.Regexp(t, `^0 processed, 1 rejected, 0 failed, in \S+ s: 0\.0 pictures/s\n  rejected words�\[2J�\.png: .+\n$`, c.stdout.String())
	})
	t.Run("nothing to send", func(t *testing.T) {
		c := startProgram(t, "demo", t.TempDir(), "--api", stack.URL("uploads"))
		assert.Equal(t, "drydock: read pictures: there is no file in the folder\n", c.fails())
	})
}

// checkTable checks a report for people on the eight photographs of the program.
func checkTable(t *testing.T, text string) {
	t.Helper()
	var before int64
	for _, path := range photographFiles(t, 8) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		before += info.Size()
	}
	for variant, after := range map[string][2]float64{"thumb": {20, 80}, "small": {200, 800}, "large": {600, 2000}} {
		row := regexp.MustCompile(`(?m)^ +` + variant + ` +8 +` + size(before) + ` +(\S+) ([kM])B +(\d+\.\d) %$`).FindStringSubmatch(text)
		require.NotNil(t, row, "%s in\n%s", variant, text)
		kilobytes, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		if row[2] == "M" {
			kilobytes *= 1000
		}
		assert.Greater(t, kilobytes, after[0], variant)
		assert.Less(t, kilobytes, after[1], variant)
		saved, err := strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
		assert.InDelta(t, 100*(1-1000*kilobytes/float64(before)), saved, 1.5, variant)
	}
	assert.Regexp(t, `(?m)^8 processed, 0 rejected, 0 failed, in \d+\.\d\d s: \d+\.\d pictures/s$`, text)
	assert.Regexp(t, `(?m)^From upload to processed: median \d+ ms, 99th percentile \d+ ms$`, text)
}

// mixedFolder has two photographs, two files that are none, and one that is hidden.
func mixedFolder(t *testing.T) string {
	t.Helper()
	paths := photographFiles(t, 2)
	folder := filepath.Dir(paths[0])
	photograph, err := os.ReadFile(paths[1])
	require.NoError(t, err)
	inner := filepath.Join(folder, "inner")
	require.NoError(t, os.Mkdir(inner, 0o755))
	writeFile(t, inner, "words.png", []byte("These are words."))
	writeFile(t, inner, "cut short.jpg", photograph[:len(photograph)/2])
	writeFile(t, folder, ".hidden.jpg", photograph)
	return folder
}

// checkReport checks a report for programs on what is in mixedFolder.
func checkReport(t *testing.T, text string) {
	t.Helper()
	var report demo.Report
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&report))
	assert.Equal(t, []int{2, 2, 0}, []int{report.Processed, report.Rejected, report.Failed})
	assert.Positive(t, report.PerSecond)
	assert.Positive(t, report.Median)
	assert.GreaterOrEqual(t, report.Percent99, report.Median)
	assert.GreaterOrEqual(t, report.Took, report.Percent99)
	for _, variant := range report.ByVariant {
		assert.Equal(t, 2, variant.Pictures)
		assert.Equal(t, report.BytesTotal, variant.Before)
		assert.Less(t, variant.After, variant.Before)
	}
	statuses := map[string]string{}
	for _, file := range report.Files {
		statuses[file.Name] = file.Status
		assert.NotEmpty(t, file.ID, file.Name)
		assert.Equal(t, file.Status == "rejected", file.Reason != "", file.Name)
	}
	assert.Equal(t, map[string]string{
		"01 aitzgorri.jpg": "processed", "02 brushes.jpg": "processed", "inner/words.png": "rejected", "inner/cut short.jpg": "rejected",
	}, statuses)
}

func TestDemoSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := writeFile(t, folder, "one.jpg", []byte("one"))
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--api", "http://127.0.0.1:1"}, "^drydock: reach the uploads API: .*connection refused; start it with `drydock up`, or name another with --api\n$"},
		{[]string{filepath.Join(folder, "none")}, `^drydock: \S*none: there is no such folder\n$`},
		{[]string{file}, `^drydock: \S+one\.jpg is not a folder: name one that holds pictures\n$`},
		{[]string{"--concurrency", "0"}, `^drydock: --concurrency 0 is not a number from 1 to 1000\n$`},
		{[]string{folder, folder}, `^drydock: accepts at most 1 arg\(s\), received 2\n$`},
	} {
		assert.Regexp(t, test.says, startProgram(t, append([]string{"demo"}, test.args...)...).fails())
	}
}

func TestDemoStopsAtOnce(t *testing.T) {
	t.Parallel()
	api, followed := silentAPI(t)
	c := startProgram(t, "demo", "--api", api)
	<-followed
	began := time.Now()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGINT))
	assert.Equal(t, "drydock: stopped before every file had reached its end\n", c.fails())
	assert.Less(t, time.Since(began), 30*time.Second)
}

// silentAPI takes uploads and then never says what becomes of them.
func silentAPI(t *testing.T) (address string, followed <-chan struct{}) {
	t.Helper()
	follows := make(chan struct{}, 100)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /v1/uploads", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("POST /v1/uploads", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"id": "one", "put": map[string]string{"method": http.MethodPut, "url": server.URL + "/store"}})
	})
	mux.HandleFunc("PUT /store", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("GET /v1/uploads/one/events", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		follows <- struct{}{}
		<-r.Context().Done()
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("unexpected request %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	})
	return server.URL, follows
}
