package uploads

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, test := range []struct{ name, filename, contentType, kept string }{
		{"plain", "harbour.jpg", "image/jpeg", "harbour.jpg"},
		{"path", "../../etc/passwd", "image/png", "passwd"},
		{"windows path", `C:\pictures\a b.png`, "image/png", "a b.png"},
		{"only dots", "..", "image/png", "file"},
		{"unicode", "Größe 写真 🛶.webp", "image/webp", "Größe 写真 🛶.webp"},
		{"control characters", "a\x00b\r\nc\x7f.gif", "image/gif", "a_b__c_.gif"},
		{"form placeholder", "${filename}.gif", "image/gif", "_{filename}.gif"},
		{"1000 characters", strings.Repeat("é", 996) + ".jpg", "image/jpeg", strings.Repeat("é", 98) + ".jpg"},
		{"4096 characters", strings.Repeat("x", 4096), "image/jpeg", strings.Repeat("x", 200)},
		{"no picture", "notes.txt", `text/plain; charset="utf-8"`, "notes.txt"},
		{"no known type", "blob", "application/vnd.x-y+json;v=1", "blob"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := time.Now().Add(-time.Millisecond)
			signed := b.signUpload(t, "ann", test.filename, test.contentType, 42)
			made, ok := contract.UploadTime(signed.ID)
			require.True(t, ok)
			require.WithinRange(t, made, before, time.Now())
			require.Equal(t, made.Add(15*time.Minute).UTC(), signed.Expires)
			require.Equal(t, test.kept, signed.Filename)
			require.Equal(t, test.contentType, signed.ContentType)
			require.EqualValues(t, 42, signed.Size)
			require.Equal(t, contract.StatusWaiting, signed.Status)
			require.Equal(t, contract.IncomingKey("ann", signed.ID, test.kept), signed.Form.Fields["key"])
			require.Equal(t, test.contentType, signed.Put.Headers["Content-Type"])
		})
	}
}

func TestCreateRefusals(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.MaxSize = 1000 })
	ask := func(filename, contentType string, size any) string {
		body, err := json.Marshal(map[string]any{"filename": filename, "content_type": contentType, "size": size})
		require.NoError(t, err)
		return string(body)
	}
	for _, test := range []struct {
		name, body string
		status     int
		location   string // of the first error, where there are errors
		says       string
	}{
		{"nothing", "", 400, "", "request body is required"},
		{"cut off", `{"filename":`, 400, "body", "unexpected end of JSON"},
		{"no JSON", `filename=a.jpg`, 400, "body", "invalid character"},
		{"list", `[]`, 422, "body", "expected object"},
		{"null", `null`, 422, "body", "expected object"},
		{"empty object", `{}`, 422, "body", "expected required property content_type to be present"},
		{"unknown field", `{"filename":"a","content_type":"image/png","size":1,"owner":"bob"}`, 422, "body.owner", "unexpected property"},
		{"no name", ask("", "image/png", 1), 422, "body.filename", "expected length >= 1"},
		{"name too long", ask(strings.Repeat("ü", 4097), "image/png", 1), 422, "body.filename", "expected length <= 4096"},
		{"negative size", ask("a", "image/png", -1), 422, "body.size", "expected number >= 0"},
		{"size too big", ask("a", "image/png", 1001), 422, "body.size", "1001 bytes are more than the 1000 that are taken; send a smaller file"},
		{"size beyond all numbers", `{"filename":"a","content_type":"image/png","size":1e400}`, 400, "body", "1e400"},
		{"size beyond int64", `{"filename":"a","content_type":"image/png","size":9223372036854775808}`, 422, "body", "9223372036854775808"},
		{"half a byte", ask("a", "image/png", 1.5), 422, "body.size", "expected integer"},
		{"size as text", ask("a", "image/png", "1"), 422, "body.size", "expected integer"},
		{"half a type", ask("a", "image", 1), 422, "body.content_type", "not a media type"},
		{"type with line break", ask("a", "image/png\r\nx: y", 1), 422, "body.content_type", "not a media type"},
		{"type with unicode", ask("a", "image/påg", 1), 422, "body.content_type", "not a media type"},
		{"type that is any", ask("a", "image/*", 1), 422, "body.content_type", "not a media type"},
		{"type too long", ask("a", "image/"+strings.Repeat("a", 250), 1), 422, "body.content_type", "expected length <= 255"},
		{"body too long", ask(strings.Repeat("a", maxBody), "image/png", 1), 413, "", "too large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, header, body := b.call(t, "", http.MethodPost, "/v1/uploads", test.body)
			require.Equal(t, test.status, status, "%s", body)
			require.Equal(t, "application/problem+json", header.Get("Content-Type"))
			said := decode[problem](t, body)
			require.Equal(t, test.status, said.Status)
			require.NotEmpty(t, said.Title)
			if test.location == "" {
				require.Contains(t, said.Detail, test.says)
				return
			}
			require.Equal(t, test.location, said.Errors[0].Location)
			require.Contains(t, said.Errors[0].Message, test.says)
		})
	}
	t.Run("other media type", func(t *testing.T) {
		request, err := http.NewRequestWithContext(within(t), http.MethodPost, b.url+"/v1/uploads", strings.NewReader(ask("a", "image/png", 1)))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "text/plain")
		answer, err := b.client.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusUnsupportedMediaType, answer.StatusCode)
	})
	require.Zero(t, b.counted(t, "drydock_uploads_signed_total"))
}

// TestCreateSeveralFaults: all of them are named at once.
func TestCreateSeveralFaults(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.MaxSize = 1000 })
	_, _, body := b.call(t, "", http.MethodPost, "/v1/uploads", `{"filename":"a","content_type":"picture","size":1001}`)
	said := decode[problem](t, body)
	require.Len(t, said.Errors, 2)
	require.EqualValues(t, 1001, said.Errors[0].Value)
	require.Equal(t, "picture", said.Errors[1].Value)
}

// TestSend sends files for real, as signed and otherwise: the store itself
// holds what was signed to its size and type.
func TestSend(t *testing.T) {
	t.Parallel()
	b := start(t)
	const content = "a picture, nearly"
	for way, send := range map[string]func(t *testing.T, b *bench, signed SignedUpload, contentType, content string) int{"form": sendForm, "put": sendPut} {
		for _, test := range []struct {
			name, contentType, content string
			taken                      bool
		}{
			{"as signed", "image/png", content, true},
			{"one byte more", "image/png", content + "!", false},
			{"one byte less", "image/png", content[1:], false},
			{"nothing", "image/png", "", false},
			{"other type", "text/html", content, false},
		} {
			t.Run(way+" "+test.name, func(t *testing.T) {
				t.Parallel()
				signed := b.signUpload(t, "ann", "Größe.png", "image/png", len(content))
				status := send(t, b, signed, test.contentType, test.content)
				keys := b.keys(t, contract.IncomingFolder("ann", signed.ID))
				if !test.taken {
					require.GreaterOrEqual(t, status, 400)
					require.Less(t, status, 500)
					require.Empty(t, keys)
					return
				}
				require.Less(t, status, 300)
				require.Equal(t, []string{contract.IncomingKey("ann", signed.ID, "Größe.png")}, keys)

				view := get[Upload](t, b, "ann", "/v1/uploads/"+signed.ID, http.StatusOK)
				require.True(t, view.Received)
				require.EqualValues(t, len(content), *view.Size)
				code, body := b.download(t, view.Original.URL)
				require.Equal(t, http.StatusOK, code)
				require.Equal(t, content, body)
			})
		}
	}
	t.Run("empty file", func(t *testing.T) {
		t.Parallel()
		for _, send := range []func(t *testing.T, b *bench, signed SignedUpload, contentType, content string) int{sendForm, sendPut} {
			signed := b.signUpload(t, "ann", "empty.png", "image/png", 0)
			require.Less(t, send(t, b, signed, "image/png", ""), 300)
			require.Zero(t, *get[Upload](t, b, "ann", "/v1/uploads/"+signed.ID, http.StatusOK).Size)
		}
	})
}

func sendForm(t *testing.T, b *bench, signed SignedUpload, contentType, content string) int {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range signed.Form.Fields {
		if name == "Content-Type" {
			value = contentType
		}
		require.NoError(t, form.WriteField(name, value))
	}
	file, err := form.CreateFormFile("file", "whatever")
	require.NoError(t, err)
	_, err = file.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	request, err := http.NewRequestWithContext(within(t), http.MethodPost, signed.Form.URL, &body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	return status(t, b, request)
}

func sendPut(t *testing.T, b *bench, signed SignedUpload, contentType, content string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), signed.Put.Method, signed.Put.URL, strings.NewReader(content))
	require.NoError(t, err)
	request.ContentLength = int64(len(content))
	request.Header.Set("Content-Type", contentType)
	return status(t, b, request)
}

func status(t *testing.T, b *bench, request *http.Request) int {
	t.Helper()
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// TestCreateWritesNothing: an upload that is only signed leaves no trace.
func TestCreateWritesNothing(t *testing.T) {
	t.Parallel()
	b := start(t)
	for i := range 10 {
		b.signUpload(t, "ann", fmt.Sprintf("%d.png", i), "image/png", i)
	}
	require.Empty(t, b.keys(t, ""))
	_, err := b.options.Records.Get(within(t), contract.RecordKey("ann", b.signUpload(t, "ann", "a", "image/png", 1).ID))
	require.ErrorIs(t, err, cloud.ErrNotFound)
	require.EqualValues(t, 11, b.counted(t, "drydock_uploads_signed_total"))
}
