package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/api/uploads"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/operate/demo"
)

// picture is a JPEG to upload.
type picture struct {
	name string
	data []byte
}

// photographs are large pictures, up to 16 megapixels.
func (r run) photographs() (pictures []picture) {
	r.Helper()
	files := demo.Photographs()
	names, err := fs.Glob(files, "*.jpg")
	require.NoError(r, err)
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		require.NoError(r, err)
		pictures = append(pictures, picture{name, data})
	}
	require.NotEmpty(r, pictures)
	return pictures
}

// drawn is a small picture that no other is like.
func drawn() (picture, error) {
	noise := image.NewNRGBA(image.Rect(0, 0, 200, 120))
	for i := range noise.Pix {
		noise.Pix[i] = byte(rand.Uint32())
	}
	var data bytes.Buffer
	err := jpeg.Encode(&data, noise, nil)
	return picture{fmt.Sprintf("drawn-%d.jpg", rand.Uint32()), data.Bytes()}, err
}

// sender sends a file as it was signed.
type sender func(context.Context, web, uploads.SignedUpload, []byte) error

func byPut(ctx context.Context, w web, signed uploads.SignedUpload, data []byte) error {
	_, err := w.send(ctx, signed.Put.Method, signed.Put.URL, signed.Put.Headers, data)
	return err
}

func byForm(ctx context.Context, w web, signed uploads.SignedUpload, data []byte) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range signed.Form.Fields {
		if err := form.WriteField(name, value); err != nil {
			return err
		}
	}
	file, err := form.CreateFormFile("file", "file")
	if err != nil {
		return err
	}
	file.Write(data) // into memory, as Close does
	form.Close()
	_, err = w.send(ctx, http.MethodPost, signed.Form.URL, map[string]string{"Content-Type": form.FormDataContentType()}, body.Bytes())
	return err
}

// upload sends a picture until the store has acknowledged it, and returns the upload's id.
func (w web) upload(ctx context.Context, p picture, by sender) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	var signed uploads.SignedUpload
	ask := uploads.NewUpload{Filename: p.name, ContentType: "image/jpeg", Size: int64(len(p.data))}
	if err := again(ctx, func(ctx context.Context) error {
		return w.noted(w.call(ctx, http.MethodPost, "uploads", "/v1/uploads", ask, &signed))
	}); err != nil {
		return "", fmt.Errorf("sign %q: %w", p.name, err)
	}
	if err := again(ctx, func(ctx context.Context) error { return w.noted(by(ctx, w, signed, p.data)) }); err != nil {
		return "", fmt.Errorf("send %q: %w", p.name, err)
	}
	return signed.ID, nil
}

func (w web) noted(err error) error {
	if err != nil && w.failed != nil {
		w.failed(err)
	}
	return err
}

// uploadAll sends pictures, a few at a time, every other one by form. The ids
// are in their order.
func (r run) uploadAll(pictures []picture) []string {
	r.Helper()
	ids := make([]string, len(pictures))
	var group errgroup.Group
	group.SetLimit(4)
	for i, p := range pictures {
		by := []sender{byPut, byForm}[i%2]
		group.Go(func() (err error) { ids[i], err = r.web.upload(r.Context(), p, by); return err })
	}
	require.NoError(r, group.Wait())
	return ids
}

// processed waits until uploads are, and returns what has become of them.
func (r run) processed(ids []string) (list []uploads.Upload) {
	r.Helper()
	for _, id := range ids {
		var upload uploads.Upload
		r.await("upload "+id+" is processed", func(ctx context.Context) error {
			upload = uploads.Upload{}
			if err := r.web.call(ctx, http.MethodGet, "uploads", "/v1/uploads/"+id, nil, &upload); err != nil {
				return err
			}
			if !upload.Status.Final() {
				return fmt.Errorf("it is %s", upload.Status)
			}
			return nil
		})
		require.Equal(r, contract.StatusProcessed, upload.Status, "upload %s: %s", id, upload.Reason)
		list = append(list, upload)
	}
	return list
}

// download fetches what a signed link leads to.
func (r run) download(url string) (data []byte) {
	r.Helper()
	r.await("download", func(ctx context.Context) (err error) {
		data, err = r.web.send(ctx, http.MethodGet, url, nil, nil)
		return err
	})
	return data
}

// requireVariants checks what a user gets: the declared sizes, never enlarged,
// behind links that work.
func (r run) requireVariants(upload uploads.Upload) {
	r.Helper()
	side := min(160, upload.Width, upload.Height)
	want := map[string][2]int{"thumb": {side, side}, "small": fitting(upload, 640), "large": fitting(upload, 1280)}
	got := map[string][2]int{}
	for _, variant := range upload.Variants {
		data := r.download(variant.URL)
		assert.EqualValues(r, len(data), variant.Size, "%s of %s", variant.Name, upload.Filename)
		got[variant.Name] = webpSize(data)
		assert.Equal(r, [2]int{variant.Width, variant.Height}, got[variant.Name], "%s of %s", variant.Name, upload.Filename)
	}
	assert.Equal(r, want, got, "the variants of %s", upload.Filename)
}

func fitting(upload uploads.Upload, most int) [2]int {
	width := min(upload.Width, most)
	return [2]int{width, int(math.Round(float64(upload.Height) * min(1, float64(most)/float64(upload.Width))))}
}

// webpSize reads width and height from the header of a WebP picture; zero for
// anything else.
func webpSize(data []byte) [2]int {
	if len(data) < 30 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return [2]int{}
	}
	little := func(at, bytes int) (value int) {
		for i := range bytes {
			value |= int(data[at+i]) << (8 * i)
		}
		return value
	}
	switch string(data[12:16]) {
	case "VP8 ":
		return [2]int{little(26, 2) & 0x3fff, little(28, 2) & 0x3fff}
	case "VP8L":
		bits := little(21, 4)
		return [2]int{bits&0x3fff + 1, bits>>14&0x3fff + 1}
	case "VP8X":
		return [2]int{little(24, 3) + 1, little(27, 3) + 1}
	}
	return [2]int{}
}

// traffic is clients that go on uploading while something happens.
type traffic struct {
	run
	stop    context.CancelFunc
	clients errgroup.Group

	mu           sync.Mutex
	acknowledged []string
	trouble      error // the last that made an attempt fail
}

// uploading begins to upload small pictures, two at a time.
func (r run) uploading() *traffic {
	t := &traffic{run: r}
	client := r.web
	client.failed = func(err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.trouble = fmt.Errorf("at %s: %w", time.Now().Format(time.TimeOnly), err)
	}
	ctx, stop := context.WithCancel(r.Context())
	t.stop = stop
	for _, by := range []sender{byPut, byForm} {
		t.clients.Go(func() error {
			pause := time.NewTicker(250 * time.Millisecond)
			defer pause.Stop()
			for ctx.Err() == nil {
				p, err := drawn()
				if err != nil {
					return err
				}
				id, err := client.upload(r.Context(), p, by) // what has begun is sent to its end
				if err != nil {
					return err
				}
				t.mu.Lock()
				t.acknowledged = append(t.acknowledged, id)
				t.mu.Unlock()
				select {
				case <-pause.C:
				case <-ctx.Done():
				}
			}
			return nil
		})
	}
	return t
}

// more waits until some that began later are acknowledged.
func (t *traffic) more(count int) {
	t.Helper()
	before := t.count()
	t.await("more uploads are acknowledged", func(context.Context) error {
		if now := t.count(); now < before+count {
			t.mu.Lock()
			defer t.mu.Unlock()
			return fmt.Errorf("%d of %d; the last trouble was %v", now-before, count, t.trouble)
		}
		return nil
	})
}

func (t *traffic) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.acknowledged)
}

// end stops the clients, and checks that all that was acknowledged is processed.
func (t *traffic) end() {
	t.Helper()
	t.stop()
	require.NoError(t, t.clients.Wait())
	require.NotEmpty(t, t.acknowledged)
	for _, upload := range t.processed(t.acknowledged) {
		assert.Len(t, upload.Variants, 3, "upload %s", upload.ID)
	}
	t.Logf("%d uploads meanwhile", len(t.acknowledged))
}

// follower counts how often uploads were told to be processed.
type follower struct {
	stop context.CancelFunc
	done chan error

	mu    sync.Mutex
	times map[string]int
}

// follow listens to the stream of all uploads' changes of one instance of the API.
func (r run) follow() *follower {
	r.Helper()
	f := &follower{times: map[string]int{}, done: make(chan error, 1)}
	ctx, stop := context.WithCancel(r.Context())
	f.stop = stop
	var stream *http.Response
	r.await("follow uploads", func(context.Context) error {
		at, err := r.web.find(ctx, "uploads")
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/v1/events", nil)
		if err != nil {
			return err
		}
		if stream, err = r.web.client.Do(request); err != nil {
			return err
		}
		if stream.StatusCode != http.StatusOK {
			stream.Body.Close()
			return &refused{stream.StatusCode, "stream of events"}
		}
		return nil
	})
	go func() {
		defer stream.Body.Close()
		f.done <- f.read(stream)
	}()
	r.Cleanup(stop)
	return f
}

func (f *follower) read(stream *http.Response) error {
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var upload uploads.Upload
		if err := json.Unmarshal([]byte(data), &upload); err != nil {
			return err
		}
		if upload.Status.Final() {
			f.mu.Lock()
			f.times[upload.ID]++
			f.mu.Unlock()
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// told is how often each upload was told to have come to its end.
func (f *follower) told() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	times := map[string]int{}
	for id, count := range f.times {
		times[id] = count
	}
	return times
}

// end stops listening; that the stream broke off before is an error.
func (f *follower) end() error {
	select {
	case err := <-f.done:
		return fmt.Errorf("the stream of events ended: %w", errors.Join(err, fs.ErrClosed))
	default:
	}
	f.stop()
	return <-f.done
}
