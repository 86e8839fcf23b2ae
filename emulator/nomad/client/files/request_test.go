package files_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/files"
)

func query(t *testing.T, text string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(text)
	require.NoError(t, err)
	return values
}

func TestParse(t *testing.T) {
	t.Parallel()
	stream, err := files.ParseStream(query(t, "path=a"))
	require.NoError(t, err)
	assert.Equal(t, files.StreamRequest{Path: "a", Origin: "start", Follow: true}, stream)
	stream, err = files.ParseStream(query(t, "path=a&offset=3&origin=end&follow=false"))
	require.NoError(t, err)
	assert.Equal(t, files.StreamRequest{Path: "a", Offset: 3, Origin: "end"}, stream)
	logs, err := files.ParseLogs(query(t, "task=t&type=stderr&plain=true&offset=-3"))
	require.NoError(t, err)
	assert.Equal(t, files.LogsRequest{Task: "t", Type: "stderr", Offset: -3, Origin: "start", Plain: true}, logs)
	path, offset, limit, err := files.ParseReadAt(query(t, "path=a&offset=1&limit=2"))
	require.NoError(t, err)
	assert.Equal(t, []any{"a", int64(1), int64(2)}, []any{path, offset, limit})
}

func TestParseRefusals(t *testing.T) {
	t.Parallel()
	stream := func(q url.Values) error { _, err := files.ParseStream(q); return err }
	logs := func(q url.Values) error { _, err := files.ParseLogs(q); return err }
	readAt := func(q url.Values) error { _, _, _, err := files.ParseReadAt(q); return err }
	const badInteger, badBoolean = `strconv.ParseInt: parsing "x": invalid syntax`, `strconv.ParseBool: parsing "x": invalid syntax`
	for _, c := range []struct {
		parse   func(url.Values) error
		query   string
		status  int
		message string
	}{
		{stream, "", http.StatusBadRequest, "must provide a file name"},
		{stream, "path=a&offset=x", http.StatusInternalServerError, "error parsing offset: " + badInteger},
		{stream, "path=a&origin=x", http.StatusBadRequest, "origin must be start or end"},
		{stream, "path=a&follow=x", http.StatusInternalServerError, "failed to parse follow field to boolean: " + badBoolean},
		{logs, "type=stdout", http.StatusBadRequest, "must provide task name"},
		{logs, "task=t", http.StatusBadRequest, "must provide log type (stdout/stderr)"},
		{logs, "task=t&type=x", http.StatusBadRequest, "must provide log type (stdout/stderr)"},
		{logs, "task=t&type=stdout&follow=x", http.StatusBadRequest, "failed to parse follow field to boolean: " + badBoolean},
		{logs, "task=t&type=stdout&plain=x", http.StatusBadRequest, "failed to parse plain field to boolean: " + badBoolean},
		{logs, "task=t&type=stdout&offset=x", http.StatusBadRequest, "error parsing offset: " + badInteger},
		{logs, "task=t&type=stdout&origin=x", http.StatusBadRequest, "origin must be start or end"},
		{readAt, "offset=1", http.StatusOK, "must provide a file name"},
		{readAt, "path=a&offset=x", http.StatusOK, "error parsing offset: " + badInteger},
		{readAt, "path=a&limit=3", http.StatusOK, `error parsing offset: strconv.ParseInt: parsing "": invalid syntax`},
		{readAt, "path=a&offset=1&limit=x", http.StatusOK, "error parsing limit: " + badInteger},
	} {
		requireRefused(t, c.parse(query(t, c.query)), c.status, c.message)
	}
}
