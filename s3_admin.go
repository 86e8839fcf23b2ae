//go:build !image

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// maxPolicyBytes bounds what is read as a policy.
const maxPolicyBytes = 64 << 10

// administrate sends a request about access keys.
func (o *storeOptions) administrate(ctx context.Context, method, path string, body, answer any) error {
	u, err := o.url()
	if err != nil {
		return err
	}
	return o.ask(ctx, method, u.JoinPath("minio/drydock/keys", path), body, answer)
}

// ask sends a request that is not part of S3, whose body is JSON as are answers.
// Nil bodies are none.
func (o *storeOptions) ask(ctx context.Context, method string, u *url.URL, body, answer any) error {
	accessKey, secret, err := o.key()
	if err != nil {
		return err
	}
	var content []byte
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(content))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	resp, err := http.DefaultClient.Do(signer.SignV4(*req, accessKey, secret, "", o.region()))
	if err != nil {
		return o.explain(err)
	}
	defer resp.Body.Close()
	content, err = io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		told := minio.ErrorResponse{StatusCode: resp.StatusCode}
		if xml.Unmarshal(content, &told) != nil {
			return fmt.Errorf("%s answers %s: it is no object store of drydock up", o.endpoint, resp.Status)
		}
		return o.explain(told)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("%s is no object store of drydock up, which this command is for", o.endpoint)
	}
	return nil
}

// readPolicy reads a policy document from a file; - is the standard input.
func readPolicy(file string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		from = opened
	}
	document, err := io.ReadAll(io.LimitReader(from, maxPolicyBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(document) > maxPolicyBytes:
		return nil, fmt.Errorf("%s is longer than a policy may be", file)
	}
	return document, nil
}
