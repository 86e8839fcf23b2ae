package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"
	"golang.org/x/sync/errgroup"
)

// s3Body is what is put: a block, so many times.
type s3Body struct {
	block []byte
	times int
	sum   string
}

func newS3Body(size, times int) *s3Body {
	b := &s3Body{block: make([]byte, size), times: times}
	_, _ = rand.NewChaCha8([32]byte{}).Read(b.block)
	sum := sha256.New()
	for range times {
		sum.Write(b.block)
	}
	b.sum = hex.EncodeToString(sum.Sum(nil))
	return b
}

func (b *s3Body) size() int64 { return int64(len(b.block)) * int64(b.times) }

// s3Client is a connection that carries signed requests.
type s3Client struct {
	*connection
	answer []byte
}

func (e *s3Endpoint) dial(ctx context.Context) (*s3Client, error) {
	c, err := dial(ctx, e.address)
	return &s3Client{connection: c}, err
}

// sign makes the head of a request. Clients do it over and over; here it is
// done ahead, so that the machine is left to who is measured.
func (e *s3Endpoint) sign(method, path, query string, body *s3Body) []byte {
	r := &http.Request{
		Method: method, Host: e.address, Header: http.Header{},
		URL: &url.URL{Scheme: "http", Host: e.address, Path: path, RawQuery: query},
	}
	sum := hex.EncodeToString(sha256.New().Sum(nil))
	length := int64(0)
	if body != nil {
		sum, length = body.sum, body.size()
	}
	r.Header.Set("X-Amz-Content-Sha256", sum)
	r = signer.SignV4(*r, s3Key, s3Secret, "", "us-east-1")
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", method, r.URL.RequestURI(), e.address, length)
	_ = r.Header.Write(&head) // to memory
	head.WriteString("\r\n")
	return head.Bytes()
}

// do sends a request and reads its answer, which stays valid until the next.
func (c *s3Client) do(head []byte, body *s3Body) (*http.Response, error) {
	if _, err := c.conn.Write(head); err != nil {
		return nil, err
	}
	if body != nil {
		for range body.times {
			if _, err := c.conn.Write(body.block); err != nil {
				return nil, err
			}
		}
	}
	r, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	switch {
	case r.ContentLength < 0 || r.StatusCode != http.StatusOK:
		c.answer, err = io.ReadAll(r.Body)
	default:
		if int64(cap(c.answer)) < r.ContentLength {
			c.answer = make([]byte, r.ContentLength)
		}
		c.answer = c.answer[:r.ContentLength]
		_, err = io.ReadFull(r.Body, c.answer)
	}
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answered %s: %.300s", r.Status, c.answer)
	}
	return r, err
}

// between is what an answer has between two texts.
func (c *s3Client) between(before, after string) string {
	_, rest, _ := strings.Cut(string(c.answer), before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// share has clients do the work of count requests, and returns how many were
// answered in a second.
func (e *s3Endpoint) share(ctx context.Context, clients, count int, one func(c *s3Client, i int) error) (float64, error) {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range clients {
		group.Go(func() error {
			c, err := e.dial(ctx)
			if err != nil {
				return err
			}
			defer c.close()
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if err := one(c, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(count) / time.Since(began).Seconds(), err
}

// heads are requests for two keys a client.
func (e *s3Endpoint) heads(clients int, method string, size int64, body *s3Body) [][]byte {
	heads := make([][]byte, 2*clients)
	for i := range heads {
		heads[i] = e.sign(method, fmt.Sprintf(s3Bucket+"/objects/%d/%d", size, i), "", body)
	}
	return heads
}

func (e *s3Endpoint) puts(ctx context.Context, clients, count int, body *s3Body) (float64, error) {
	heads := e.heads(clients, http.MethodPut, body.size(), body)
	return e.share(ctx, clients, max(count, len(heads)), func(c *s3Client, i int) error {
		_, err := c.do(heads[i%len(heads)], body)
		return err
	})
}

// gets reads what puts of as many clients has written.
func (e *s3Endpoint) gets(ctx context.Context, clients, count int, body *s3Body) (float64, error) {
	heads := e.heads(clients, http.MethodGet, body.size(), nil)
	return e.share(ctx, clients, count, func(c *s3Client, i int) error {
		_, err := c.do(heads[i%len(heads)], nil)
		if err == nil && !bytes.Equal(c.answer[:64], body.block[:64]) {
			err = errors.New("it gave another object")
		}
		return err
	})
}

// fill makes the keys that are listed.
func (e *s3Endpoint) fill(ctx context.Context) error {
	body := newS3Body(s3KeySize, 1)
	_, err := e.share(ctx, 64, s3Keys, func(c *s3Client, i int) error {
		_, err := c.do(e.sign(http.MethodPut, fmt.Sprintf(s3Bucket+"/listed/%03d/%06d", i%500, i), "", body), body)
		return err
	})
	return err
}

// list lists them, page by page.
func (e *s3Endpoint) list(ctx context.Context) (float64, error) {
	c, err := e.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer c.close()
	began := time.Now()
	keys := 0
	for query := (url.Values{"list-type": {"2"}, "prefix": {"listed/"}}); ; {
		if _, err := c.do(e.sign(http.MethodGet, s3Bucket, query.Encode(), nil), nil); err != nil {
			return 0, err
		}
		keys += bytes.Count(c.answer, []byte("<Key>"))
		token := c.between("<NextContinuationToken>", "<")
		if token == "" {
			break
		}
		query.Set("continuation-token", token)
	}
	if keys != s3Keys {
		return 0, fmt.Errorf("it listed %d keys of %d", keys, s3Keys)
	}
	return float64(keys) / time.Since(began).Seconds(), nil
}

// multipart uploads the large object in parts, several at a time.
func (e *s3Endpoint) multipart(ctx context.Context) (float64, error) {
	if err := e.forgetPeak(); err != nil {
		return 0, err
	}
	c, err := e.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer c.close()
	body := newS3Body(s3PartSize, 1)
	began := time.Now()
	if _, err := c.do(e.sign(http.MethodPost, s3Bucket+"/large", "uploads=", nil), nil); err != nil {
		return 0, err
	}
	upload := c.between("<UploadId>", "<")
	var etags [s3Parts]string
	if _, err := e.share(ctx, s3Uploaders, s3Parts, func(c *s3Client, i int) error {
		query := url.Values{"partNumber": {fmt.Sprint(i + 1)}, "uploadId": {upload}}
		answer, err := c.do(e.sign(http.MethodPut, s3Bucket+"/large", query.Encode(), body), body)
		if err == nil {
			etags[i] = answer.Header.Get("Etag")
		}
		return err
	}); err != nil {
		return 0, err
	}
	var list strings.Builder
	for i, etag := range etags {
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, etag)
	}
	text := []byte("<CompleteMultipartUpload>" + list.String() + "</CompleteMultipartUpload>")
	sum := sha256.Sum256(text)
	complete := &s3Body{block: text, times: 1, sum: hex.EncodeToString(sum[:])}
	if _, err := c.do(e.sign(http.MethodPost, s3Bucket+"/large", url.Values{"uploadId": {upload}}.Encode(), complete), complete); err != nil {
		return 0, err
	}
	if c.between("<ETag>", "<") == "" {
		return 0, fmt.Errorf("the upload was not completed: %.300s", c.answer)
	}
	return s3Parts * s3PartSize >> 20 / time.Since(began).Seconds(), nil
}

// putLarge uploads the large object in one request.
func (e *s3Endpoint) putLarge(ctx context.Context) (float64, error) {
	if err := e.forgetPeak(); err != nil {
		return 0, err
	}
	body := newS3Body(s3PartSize, s3Parts)
	c, err := e.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer c.close()
	head := e.sign(http.MethodPut, s3Bucket+"/large", "", body)
	began := time.Now()
	_, err = c.do(head, body)
	return float64(body.size()>>20) / time.Since(began).Seconds(), err
}
