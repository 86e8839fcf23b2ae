package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/minio/minio-go/v7"
	miniocredentials "github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// operation is what a program does with either SDK: the same, as far as both
// have it.
type operation struct {
	name  string
	minio func(ctx context.Context, c minioClient) (any, error)
	aws   func(ctx context.Context, c awsClient) (any, error)
}

// minioClient is minio-go's, with its calls that are one request each.
type minioClient struct {
	*minio.Client
	core minio.Core
}

// awsClient is that of aws-sdk-go-v2.
type awsClient struct {
	*awss3.Client
	presign *awss3.PresignClient
}

// TestParityOfMinioGo does every operation with minio-go on a real MinIO and on
// the emulator.
func TestParityOfMinioGo(t *testing.T) {
	t.Parallel()
	compareOperations(t, func(address string) func(context.Context, operation) (any, error) {
		transport := transportOf(t)
		client, err := minio.New(address, &minio.Options{
			Creds: miniocredentials.NewStaticV4(accessKey, secretKey, ""), Transport: transport, TrailingHeaders: true, MaxRetries: 1,
		})
		require.NoError(t, err)
		c := minioClient{client, minio.Core{Client: client}}
		return func(ctx context.Context, o operation) (any, error) { return o.minio(ctx, c) }
	})
}

// TestParityOfAWSSDK does it with aws-sdk-go-v2.
func TestParityOfAWSSDK(t *testing.T) {
	t.Parallel()
	compareOperations(t, func(address string) func(context.Context, operation) (any, error) {
		client := awss3.New(awss3.Options{
			BaseEndpoint: aws.String("http://" + address), Region: "us-east-1", UsePathStyle: true, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
			HTTPClient:  &http.Client{Transport: transportOf(t)},
		})
		c := awsClient{client, awss3.NewPresignClient(client)}
		return func(ctx context.Context, o operation) (any, error) { return o.aws(ctx, c) }
	})
}

func transportOf(t *testing.T) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// compareOperations does the operations, which build on each other, on both.
// client returns what does one at an address.
func compareOperations(t *testing.T, client func(address string) func(context.Context, operation) (any, error)) {
	t.Helper()
	real, emulated := startBoth(t)
	onReal, onEmulated := client(real), client(emulated)
	for _, o := range operations {
		t.Run(o.name, func(t *testing.T) {
			want := told(onReal(t.Context(), o))
			t.Log(want)
			assert.Equal(t, want, told(onEmulated(t.Context(), o)))
		})
	}
}

// told is what came of an operation, without what differs from run to run.
func told(result any, err error) string {
	text, jsonErr := json.MarshalIndent(result, "", " ")
	if jsonErr != nil {
		return jsonErr.Error()
	}
	told := string(text)
	for _, m := range sdkMasks {
		told = m.pattern.ReplaceAllString(told, m.with)
	}
	if err != nil {
		told += "\nerror " + codeOf(err)
	}
	return told
}

var sdkMasks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`"[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`), `"<time>"`},
	{regexp.MustCompile(`\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`), "<time>"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "<uuid>"},
	{regexp.MustCompile(`(?m)^ *"(Server|Strict-Transport-Security|Vary|X-Ratelimit-Limit|X-Ratelimit-Remaining|X-Xss-Protection)": (\[[^]]*\]|"[^"]*"),?\n`), ""},
	{regexp.MustCompile(`,(\n *[\]}])`), "$1"},
	{regexp.MustCompile(`("name": )"(minio|drydock)"`), `$1"<owner>"`},
	{regexp.MustCompile(`("(?i:UploadID|ID|DisplayName|NextContinuationToken|ContinuationToken|X-Amz-Request-Id|X-Amz-Id-2|Date)": )("[^"]+"|\[[^]]*\])`), `$1"<masked>"`},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "<address>"},
}

// codeOf is the code of an error of either SDK, else its text.
func codeOf(err error) string {
	if of, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return of.Code + ": " + of.Message
	}
	if of, ok := errors.AsType[smithy.APIError](err); ok {
		return of.ErrorCode() + ": " + of.ErrorMessage()
	}
	return err.Error()
}

// fetch sends a request as nobody, and returns the status and the body, without
// what an error says of the request.
func fetch(ctx context.Context, method, url, body string, header http.Header) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	before, _, _ := strings.Cut(string(text), "<RequestId>")
	return []any{answer.StatusCode, before}, err
}

// all is what a body has.
func all(body io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	return string(text), err
}

// megabytes are so many of zeros.
func megabytes(n int) *bytes.Reader { return bytes.NewReader(make([]byte, n<<20)) }
