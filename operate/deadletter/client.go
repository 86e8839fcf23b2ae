// Package deadletter asks the API of dead letters, and writes what it answers
// for people. The command drydock deadletter is made of it.
package deadletter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	mediaJSON = "application/json"
	mediaData = "application/octet-stream"
	// answerLimit bounds how much of an answer is read, and of one line of a
	// long one: a letter's data is at most 1 MiB, which JSON may write six times
	// as long.
	answerLimit = 16 << 20
	pageSize    = 1000
)

// Client is a user of the API. It is safe for concurrent use.
type Client struct {
	api  string
	http *http.Client
}

// New makes a client of the API at a base URL.
func New(api string) *Client {
	return &Client{api: strings.TrimSuffix(api, "/"), http: &http.Client{}}
}

// Problem is an answer that is no success, in the API's words (RFC 9457).
type Problem struct {
	Status int
	Title  string
	Detail string
	Errors []struct{ Location, Message string }
}

func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = fmt.Sprintf("the API answers with status %d %s", p.Status, p.Title)
	}
	for _, e := range p.Errors {
		text += "\n  " + e.Location + ": " + e.Message
	}
	return text
}

// List yields the letters that a filter lets through, without data.
func (c *Client) List(ctx context.Context, filter Filter) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		query := filter.query()
		query.Set("limit", strconv.Itoa(pageSize))
		for {
			var page struct {
				Letters []Letter
				Next    string
			}
			if err := c.ask(ctx, http.MethodGet, "?"+query.Encode(), nil, nil, &page); err != nil {
				yield(Letter{}, err)
				return
			}
			for _, letter := range page.Letters {
				if !yield(letter, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Set("after", page.Next)
		}
	}
}

// Summary counts the letters that a filter lets through.
func (c *Client) Summary(ctx context.Context, filter Filter) (summary Summary, err error) {
	err = c.ask(ctx, http.MethodGet, "/summary?"+filter.query().Encode(), nil, nil, &summary)
	return summary, err
}

// Get returns a letter with its data.
func (c *Client) Get(ctx context.Context, id string) (letter Letter, err error) {
	err = c.ask(ctx, http.MethodGet, "/"+url.PathEscape(id), nil, nil, &letter)
	return letter, err
}

// Edit replaces the data of a letter that is still at the revision, and
// returns what it is then.
func (c *Client) Edit(ctx context.Context, id string, revision uint64, data []byte) (letter Letter, err error) {
	header := http.Header{"Content-Type": {mediaData}, "If-Match": {strconv.Quote(strconv.FormatUint(revision, 10))}}
	err = c.ask(ctx, http.MethodPut, "/"+url.PathEscape(id)+"/data", header, bytes.NewReader(data), &letter)
	return letter, err
}

// Delete removes a letter. Removing a missing one is no error.
func (c *Client) Delete(ctx context.Context, id string) error {
	return c.ask(ctx, http.MethodDelete, "/"+url.PathEscape(id), nil, nil, nil)
}

// Redrive sends the selected letters' events again and yields how it goes. The
// last line is finished; without one the sequence ends with an error.
func (c *Client) Redrive(ctx context.Context, redrive Redrive) iter.Seq2[Progress, error] {
	body, err := json.Marshal(redrive)
	if err != nil {
		return failed(err)
	}
	return c.follow(ctx, http.MethodPost, "/redrive", http.Header{"Content-Type": {mediaJSON}}, bytes.NewReader(body))
}

// DeleteMany removes the letters that a filter lets through; all has to be set
// when it lets through every letter. It yields how it goes, as Redrive does.
func (c *Client) DeleteMany(ctx context.Context, filter Filter, all, dryRun bool) iter.Seq2[Progress, error] {
	query := filter.query()
	query.Set("all", strconv.FormatBool(all))
	query.Set("dry_run", strconv.FormatBool(dryRun))
	return c.follow(ctx, http.MethodDelete, "?"+query.Encode(), nil, nil)
}

func failed(err error) iter.Seq2[Progress, error] {
	return func(yield func(Progress, error) bool) { yield(Progress{}, err) }
}

// follow yields the lines of an answer as they come.
func (c *Client) follow(ctx context.Context, method, path string, header http.Header, body io.Reader) iter.Seq2[Progress, error] {
	return func(yield func(Progress, error) bool) {
		answer, err := c.do(ctx, method, path, header, body)
		if err != nil {
			yield(Progress{}, err)
			return
		}
		defer answer.Close()
		lines := json.NewDecoder(answer)
		for {
			var line Progress
			if err := lines.Decode(&line); err != nil {
				yield(Progress{}, fmt.Errorf("the API's answer was cut short, and the rest was not done: %w", unexpected(err)))
				return
			}
			if !yield(line, nil) || line.Finished {
				return
			}
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ask sends a request and reads the answer into a value, unless that is nil.
func (c *Client) ask(ctx context.Context, method, path string, header http.Header, body io.Reader, into any) error {
	answer, err := c.do(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(answer, answerLimit)).Decode(into); err != nil {
		return fmt.Errorf("read the API's answer: %w", unexpected(err))
	}
	return nil
}

// do sends one request and returns the body of a successful answer.
func (c *Client) do(ctx context.Context, method, path string, header http.Header, body io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.api+"/v1/deadletters"+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach the API of dead letters: %w; is `drydock up` running? Name another with --api", err)
	}
	if answer.StatusCode < 300 {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	problem := &Problem{Status: answer.StatusCode, Title: http.StatusText(answer.StatusCode)}
	_ = json.NewDecoder(io.LimitReader(answer.Body, answerLimit)).Decode(problem) // else the status has to do
	problem.Status = answer.StatusCode
	return nil, problem
}
