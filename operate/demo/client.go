package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

const (
	contentType = "Content-Type"
	// followAgain is the pause before a broken stream of events is opened anew.
	followAgain = 500 * time.Millisecond
	// answerLimit bounds how much of an answer is read.
	answerLimit = 1 << 20
)

// client is a user of the API: what a browser does.
type client struct {
	api  string
	http *http.Client
}

func newClient(api string) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &client{api: strings.TrimSuffix(api, "/"), http: &http.Client{Transport: transport}}
}

// ping tells early, and in plain words, that there is no API.
func (c *client) ping(ctx context.Context) error {
	answer, err := c.do(ctx, http.MethodGet, c.api+"/v1/uploads?limit=1", nil, 0, nil)
	if err != nil {
		return fmt.Errorf("reach the uploads API: %w; start it with `drydock up`, or name another with --api", err)
	}
	return answer.Close()
}

// send takes a file to its end, and notes there what became of it.
func (c *client) send(ctx context.Context, files fs.FS, file *File) {
	err := c.upload(ctx, files, file)
	if err == nil {
		err = c.follow(ctx, file)
	}
	if err != nil {
		file.Status, file.Reason = StatusFailed, err.Error()
	}
}

// upload asks for a signature and sends the file straight to the object store.
func (c *client) upload(ctx context.Context, files fs.FS, file *File) error {
	kind := mime.TypeByExtension(path.Ext(file.Name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	ask, err := json.Marshal(map[string]any{"filename": path.Base(file.Name), "content_type": kind, "size": file.Size})
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, c.api+"/v1/uploads", bytes.NewReader(ask), int64(len(ask)), map[string]string{contentType: "application/json"})
	if err != nil {
		return fmt.Errorf("sign upload: %w", err)
	}
	defer answer.Close()
	var signed struct {
		ID  string
		Put struct {
			Method, URL string
			Headers     map[string]string
		}
	}
	if err := json.NewDecoder(answer).Decode(&signed); err != nil {
		return fmt.Errorf("sign upload: %w", err)
	}
	file.ID = signed.ID

	source, err := files.Open(file.Name)
	if err != nil {
		return err
	}
	defer source.Close()
	stored, err := c.do(ctx, signed.Put.Method, signed.Put.URL, source, file.Size, signed.Put.Headers)
	if err != nil {
		return fmt.Errorf("send to the object store: %w", err)
	}
	return stored.Close()
}

// view is an upload as the API shows it: the part that the demo looks at.
type view struct {
	Status   string
	Reason   string
	Variants []Variant
}

// follow waits for the upload's final status on its stream of events.
func (c *client) follow(ctx context.Context, file *File) error {
	began := time.Now()
	for {
		final, err := c.followOnce(ctx, file.ID)
		if err == nil {
			file.Status, file.Reason, file.Variants, file.Took = final.Status, final.Reason, final.Variants, time.Since(began)
			return nil
		}
		var refused *refusal
		if errors.As(err, &refused) && refused.status < 500 || ctx.Err() != nil {
			return fmt.Errorf("follow upload: %w", err)
		}
		select {
		case <-time.After(followAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *client) followOnce(ctx context.Context, id string) (view, error) {
	events, err := c.do(ctx, http.MethodGet, c.api+"/v1/uploads/"+id+"/events", nil, 0, nil)
	if err != nil {
		return view{}, err
	}
	defer events.Close()
	kind := ""
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, answerLimit)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = value
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		switch kind {
		case "deleted":
			return view{Status: "deleted", Reason: "Somebody deleted it."}, nil
		case "upload":
			var v view
			if err := json.Unmarshal([]byte(data), &v); err != nil {
				return view{}, err
			}
			if v.Status == "processed" || v.Status == "rejected" {
				return v, nil
			}
		}
	}
	if err := lines.Err(); err != nil {
		return view{}, err
	}
	return view{}, io.ErrUnexpectedEOF
}

// refusal is an answer that is no success.
type refusal struct {
	status int
	detail string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.detail) }

// do sends one request and returns the body of a successful answer.
func (c *client) do(ctx context.Context, method, url string, body io.Reader, size int64, headers map[string]string) (io.ReadCloser, error) {
	if size == 0 {
		body = nil // an empty body must not be sent in chunks
	}
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = size
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < 300 {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, err
	}
	return nil, &refusal{answer.StatusCode, explain(text)}
}

// explain takes the words for people out of a problem (RFC 9457) or an answer of the object store.
func explain(text []byte) string {
	var problem struct{ Title, Detail string }
	if json.Unmarshal(text, &problem) == nil && problem.Title != "" {
		return strings.Trim(problem.Title+": "+problem.Detail, ": ")
	}
	var refused struct{ Code, Message string }
	if xml.Unmarshal(text, &refused) == nil && refused.Code != "" {
		return refused.Code + ": " + refused.Message
	}
	return strings.TrimSpace(string(text))
}
