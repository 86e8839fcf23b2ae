package files

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/hashicorp/nomad/api"
)

// StreamRequest asks for a file from Offset on, counted from its Origin.
type StreamRequest struct {
	Path   string
	Offset int64  // in bytes
	Origin string // api.OriginStart or api.OriginEnd
	Follow bool
}

// LogsRequest asks for what a task has printed from Offset on, counted from its Origin.
type LogsRequest struct {
	Task   string
	Type   string // api.FSLogNameStdout or api.FSLogNameStderr
	Offset int64  // in bytes
	Origin string // api.OriginStart or api.OriginEnd
	Follow bool
	Plain  bool // the caller sends the data of the frames alone
}

// ParseStream reads the parameters of /v1/client/fs/stream, which follows unless told not to.
func ParseStream(query url.Values) (StreamRequest, error) {
	p := parser{query: query, status: http.StatusInternalServerError}
	request := StreamRequest{Path: query.Get("path")}
	if request.Path == "" {
		return request, newError(http.StatusBadRequest, "must provide a file name")
	}
	request.Offset = p.offset(false)
	request.Origin = p.origin()
	request.Follow = p.boolean("follow", true)
	return request, p.err
}

// ParseLogs reads the parameters of /v1/client/fs/logs, which does not follow unless told to.
func ParseLogs(query url.Values) (LogsRequest, error) {
	p := parser{query: query, status: http.StatusBadRequest}
	request := LogsRequest{Task: query.Get("task"), Type: query.Get("type")}
	if request.Task == "" {
		return request, newError(http.StatusBadRequest, "must provide task name")
	}
	request.Follow = p.boolean("follow", false)
	request.Plain = p.boolean("plain", false)
	if request.Type != api.FSLogNameStdout && request.Type != api.FSLogNameStderr {
		p.fail(http.StatusBadRequest, "must provide log type (stdout/stderr)")
	}
	request.Offset = p.offset(false)
	request.Origin = p.origin()
	return request, p.err
}

// ParseReadAt reads the parameters of /v1/client/fs/readat; an offset must be among them.
func ParseReadAt(query url.Values) (path string, offset, limit int64, err error) {
	p := parser{query: query, status: readStatuses.other}
	if path = query.Get("path"); path == "" {
		return "", 0, 0, newError(readStatuses.unnamed, "must provide a file name")
	}
	offset = p.offset(true)
	if text := query.Get("limit"); text != "" {
		limit = p.integer("limit", text)
	}
	return path, offset, limit, p.err
}

// parser reads parameters and keeps the first error.
type parser struct {
	query  url.Values
	status int // of the errors
	err    error
}

func (p *parser) fail(status int, format string, values ...any) {
	if p.err == nil {
		p.err = newError(status, format, values...)
	}
}

func (p *parser) offset(required bool) int64 {
	text := p.query.Get("offset")
	if text == "" && !required {
		return 0
	}
	return p.integer("offset", text)
}

func (p *parser) integer(name, text string) int64 {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.fail(p.status, "error parsing %s: %s", name, err)
	}
	return number
}

func (p *parser) origin() string {
	switch origin := p.query.Get("origin"); origin {
	case "":
		return api.OriginStart
	case api.OriginStart, api.OriginEnd:
		return origin
	}
	p.fail(http.StatusBadRequest, "origin must be start or end")
	return ""
}

func (p *parser) boolean(name string, otherwise bool) bool {
	text := p.query.Get(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		p.fail(p.status, "failed to parse %s field to boolean: %s", name, err)
	}
	return value
}
