package main

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"maps"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/nomad/jobspec2"
	"github.com/minio/minio-go/v7/pkg/credentials"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/api/uploads"
	"github.com/drydock/drydock/cloud"
	cloudnats "github.com/drydock/drydock/cloud/nats"
	clouds3 "github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/demo"
	"github.com/drydock/drydock/workers/images/vips"
)

func TestEveryPictureIsProcessedOnce(t *testing.T) {
	t.Parallel()
	o := lookAt(t, startStack(t, emulator.Options{}))
	pictures := append(largePictures(t), drawnPictures(t)...)
	ids, err := o.sendAll(t.Context(), slices.Concat(pictures, pictures)) // each by form and by PUT
	require.NoError(t, err)
	o.requireEachOnce(t, ids)

	listed := map[string]uploads.Upload{}
	var page uploads.Page
	require.NoError(t, do(t.Context(), http.MethodGet, o.api+"/v1/uploads?limit=100", nil, nil, &page))
	for _, upload := range page.Uploads {
		listed[upload.ID] = upload
	}
	assert.Len(t, listed, len(ids))
	for i, id := range ids {
		p := pictures[i%len(pictures)]
		upload := o.get(t, id)
		assert.Equal(t, p.name, upload.Filename)
		assert.Equal(t, p.kind, upload.ContentType)
		assert.EqualValues(t, len(p.data), *upload.Size)
		assert.Equal(t, contract.StatusProcessed, upload.Status)
		assert.Equal(t, upload.Updated, listed[id].Updated)
		assert.Equal(t, contract.StatusProcessed, listed[id].Status)
		assert.Equal(t, p.data, download(t, upload.Original.URL), "the original of %s", p.name)
		requireVariants(t, p, upload)
	}
}

// requireVariants checks what a user gets: the declared sizes, never enlarged,
// as WebP pictures that can be decoded, behind links that work.
func requireVariants(t *testing.T, p *picture, upload uploads.Upload) {
	t.Helper()
	width, height := upload.Width, upload.Height
	side := min(160, width, height)
	want := map[string][2]int{"thumb": {side, side}, "small": fitting(width, height, 640), "large": fitting(width, height, 1280)}
	require.Len(t, upload.Variants, len(want), p.name)
	for _, variant := range upload.Variants {
		what := p.name + " " + variant.Name
		assert.Equal(t, want[variant.Name], [2]int{variant.Width, variant.Height}, what)
		assert.Equal(t, "image/webp", variant.ContentType, what)
		data := download(t, variant.URL)
		assert.EqualValues(t, len(data), variant.Size, what)
		seen, err := transform(data, `[{"name": "look", "width": 16}]`)
		require.NoError(t, err, what)
		assert.Equal(t, vips.Source{Format: "webp", Width: variant.Width, Height: variant.Height, Pages: upload.Pages}, seen.source, what)
	}
}

func fitting(width, height, most int) [2]int {
	fit := min(width, most)
	return [2]int{fit, int(math.Round(float64(height) * min(1, float64(most)/float64(width))))}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	worker := stack.PIDs("images")
	good := drawnPictures(t)[0]
	for name, c := range map[string]struct {
		kind   string
		data   []byte
		reason string
	}{
		"no picture.jpg": {"image/jpeg", []byte("hello"), "The file is not a picture that we can read."},
		"truncated.jpg":  {"image/jpeg", largePictures(t)[0].data[:80_000], "The file ends before the picture does."},
		"bomb.png":       {"image/png", bomb(50_000), "The picture is too large: 50000×50000 is 2500 megapixels, and 50 is the most."},
		"reader.svg": {"image/svg+xml", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>`),
			"SVG pictures are not accepted: they can contain programs."},
		"wrong.png": {"image/png", good.data, "The file was announced as image/png, but it is a JPEG picture."},
		"empty.jpg": {"image/jpeg", nil, "The file is empty."},
	} {
		t.Run(name, func(t *testing.T) {
			upload := o.sendOne(t, newPicture(name, c.kind, c.data))
			assert.Equal(t, contract.StatusRejected, upload.Status)
			assert.Contains(t, upload.Reason, c.reason)
			assert.Empty(t, upload.Variants)
			assert.Empty(t, o.list(t, contract.ProcessedFolder(demoOwner, upload.ID)))
		})
	}
	for what, name := range map[string]string{
		"path": "../../x.jpg", "unicode": "Fähre am Kai – 渡し船 🚢.jpg", "1000 characters": strings.Repeat("long ", 199) + ".jpg",
		"control characters": "a\x00b\x1fc\r\n.jpg", "other system": `C:\photos\x.jpg`, "dots": "..", "placeholder": "${filename}.jpg",
	} {
		t.Run("name: "+what, func(t *testing.T) {
			upload := o.sendOne(t, newPicture(name, good.kind, good.data))
			assert.Equal(t, contract.StatusProcessed, upload.Status, upload.Reason)
			assert.Equal(t, contract.CleanName(name), upload.Filename)
			assert.Contains(t, o.list(t, ""), contract.IncomingKey(demoOwner, upload.ID, upload.Filename))
		})
	}
	o.requireEachOnce(t, nil)
	assert.Equal(t, worker, stack.PIDs("images"), "the worker did not live")
	requirePeakBelow(t, worker[0])
}

// requirePeakBelow holds the worker to the memory that its own job file asks for.
func requirePeakBelow(t *testing.T, pid int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("peak memory is known on Linux only")
		return
	}
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak, err := strconv.Atoi(strings.Fields(rest)[0]) // KiB
	require.NoError(t, err)
	text, err := fs.ReadFile(jobs.Files, "images.nomad.hcl")
	require.NoError(t, err)
	job, err := jobspec2.Parse("images.nomad.hcl", bytes.NewReader(text))
	require.NoError(t, err)
	t.Logf("peak memory of the images worker: %d MiB", peak>>10)
	assert.Less(t, peak>>10, *job.TaskGroups[0].Tasks[0].Resources.MemoryMB)
}

func TestALargerFileThanSignedIsRefused(t *testing.T) {
	t.Parallel()
	o := lookAt(t, startStack(t, emulator.Options{}))
	for name, by := range map[string]sender{"form": byForm, "put": byPut} {
		t.Run(name, func(t *testing.T) {
			p := drawnPictures(t)[0]
			signed, err := o.sign(t.Context(), p)
			require.NoError(t, err)
			err = by(t.Context(), signed, append(slices.Clone(p.data), 0))
			var answer *refused
			require.ErrorAs(t, err, &answer)
			assert.Contains(t, []int{http.StatusBadRequest, http.StatusForbidden}, answer.status, answer.text)
			upload := o.get(t, signed.ID)
			assert.Equal(t, contract.StatusWaiting, upload.Status)
			assert.False(t, upload.Received)
		})
	}
	assert.Empty(t, o.list(t, ""), "nothing may be stored")
}

func TestTheSamePictureIsTheSameWork(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	p := largePictures(t)[0]
	first, second := o.sendOne(t, p), o.sendOne(t, p)
	require.Len(t, second.Variants, len(first.Variants))
	for i := range first.Variants {
		assert.Equal(t, download(t, first.Variants[i].URL), download(t, second.Variants[i].URL), first.Variants[i].Name)
	}
	o.requireEachOnce(t, []string{first.ID, second.ID})

	record, err := o.records.Get(t.Context(), contract.RecordKey(demoOwner, first.ID))
	require.NoError(t, err)
	stored := o.list(t, "")
	delivered := o.deliveries(t)
	key := contract.IncomingKey(demoOwner, first.ID, first.Filename)
	for _, id := range []string{"again", "and again"} {
		publishCreated(t, stack.Bus, id, stored[key])
	}
	await(t, func(context.Context) error {
		if came := o.deliveries(t) - delivered; came != 2 {
			return fmt.Errorf("%d of 2 repeated notifications were delivered", came)
		}
		return nil
	})
	o.requireEachOnce(t, nil)
	after, err := o.records.Get(t.Context(), contract.RecordKey(demoOwner, first.ID))
	require.NoError(t, err)
	assert.Equal(t, record, after)
	assert.Equal(t, stored, o.list(t, ""), "no object may be written anew")
}

func TestAPictureDeletedWhileItIsProcessedLeavesNothing(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	id := o.holdInProcess(t, stack)
	require.NoError(t, do(t.Context(), http.MethodDelete, o.api+"/v1/uploads/"+id, nil, nil, nil))
	sendSignal(t, stack, "images", syscall.SIGCONT)
	o.requireDeleted(t, id)
}

// holdInProcess uploads a large picture and stops the worker amid its work on it.
func (o *outside) holdInProcess(t *testing.T, stack *emulator.Stack) (id string) {
	t.Helper()
	p := slices.MaxFunc(largePictures(t), func(a, b *picture) int { return cmp.Compare(len(a.data), len(b.data)) })
	for range 20 {
		id, err := o.send(t.Context(), p, byPut)
		require.NoError(t, err)
		await(t, func(context.Context) error {
			if status := o.recorded(t, id); status == "" {
				return errors.New("the worker has not begun")
			}
			return nil
		})
		sendSignal(t, stack, "images", syscall.SIGSTOP)
		if o.recorded(t, id) == contract.StatusProcessing {
			return id
		}
		sendSignal(t, stack, "images", syscall.SIGCONT) // it was faster
	}
	require.FailNow(t, "the worker could not be stopped amid its work")
	return ""
}

// requireDeleted waits until the worker has nothing to do, and checks that
// nothing of a deleted upload is left.
func (o *outside) requireDeleted(t *testing.T, id string) {
	t.Helper()
	await(t, o.idle)
	assert.Empty(t, o.list(t, contract.IncomingFolder(demoOwner, id)))
	assert.Empty(t, o.list(t, contract.ProcessedFolder(demoOwner, id)))
	assert.Equal(t, contract.StatusDeleted, o.recorded(t, id))
	var answer *refused
	require.ErrorAs(t, do(t.Context(), http.MethodGet, o.api+"/v1/uploads/"+id, nil, nil, nil), &answer)
	assert.Equal(t, http.StatusNotFound, answer.status)
	assert.Empty(t, o.deadLetters(t))
}

// From here on: what the tests of the flow and of its failures have in common.

const (
	// demoOwner is whose uploads they are while nobody has to log in.
	demoOwner = "demo"
	// awaitAtMost bounds each wait, on a busy machine with race detection.
	awaitAtMost = 2 * time.Minute
	// askAtMost bounds one request, so that a part that is away is asked again.
	askAtMost = 15 * time.Second
)

// await tries until there is no error.
func await(t *testing.T, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaitAtMost)
	defer cancel()
	require.NoError(t, again(ctx, try))
}

// again tries until there is no error, or one that trying again cannot mend.
func again(ctx context.Context, try func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		var answer *refused
		if err == nil || errors.As(err, &answer) && answer.status < http.StatusInternalServerError {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// picture is a file to upload, with what has to come of it.
type picture struct {
	name, kind string
	data       []byte
	made       func() (transformed, error)
}

func newPicture(name, kind string, data []byte) *picture {
	return &picture{name: name, kind: kind, data: data, made: sync.OnceValues(func() (transformed, error) { return transform(data, "") })}
}

type transformed struct {
	source   vips.Source
	variants []vips.Output
}

// transform makes variants in this process, the default ones when none are declared.
func transform(data []byte, declared string) (transformed, error) {
	variants := vips.DefaultVariants()
	if declared != "" {
		var err error
		if variants, err = vips.ParseVariants([]byte(declared)); err != nil {
			return transformed{}, err
		}
	}
	dir, err := os.MkdirTemp("", "drydock-test-")
	if err != nil {
		return transformed{}, err
	}
	defer os.RemoveAll(dir)
	file, err := os.Create(filepath.Join(dir, "picture"))
	if err != nil {
		return transformed{}, err
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		return transformed{}, err
	}
	var made transformed
	made.source, made.variants, err = vips.Transform(context.Background(), file, variants, vips.DefaultLimits())
	return made, err
}

var readLarge = sync.OnceValues(func() (pictures []*picture, err error) {
	files := demo.Photographs()
	names, err := fs.Glob(files, "*.jpg")
	for _, name := range names {
		data, failed := fs.ReadFile(files, name)
		err = errors.Join(err, failed)
		pictures = append(pictures, newPicture(name, "image/jpeg", data))
	}
	return pictures, err
})

// largePictures are large pictures, up to 16 megapixels.
func largePictures(t *testing.T) []*picture {
	t.Helper()
	pictures, err := readLarge()
	require.NoError(t, err)
	require.NotEmpty(t, pictures)
	return slices.Clone(pictures)
}

// drawnPictures are small pictures of every kind; the first is a JPEG.
func drawnPictures(t *testing.T) []*picture {
	t.Helper()
	noise := image.NewNRGBA(image.Rect(0, 0, 200, 120))
	for i := range noise.Pix {
		noise.Pix[i] = byte(i * i >> 3)
	}
	frames := &gif.GIF{}
	for i := range 3 {
		frame := image.NewPaletted(image.Rect(0, 0, 90, 140), palette.Plan9)
		for j := range frame.Pix {
			frame.Pix[j] = byte(i*80 + j/90)
		}
		frames.Image, frames.Delay = append(frames.Image, frame), append(frames.Delay, 10)
	}
	still := image.NewUniform(color.NRGBA{R: 200, A: 255})
	var asJPEG, asPNG, asGIF, tiny bytes.Buffer
	require.NoError(t, jpeg.Encode(&asJPEG, noise, nil))
	require.NoError(t, png.Encode(&asPNG, noise))
	require.NoError(t, gif.EncodeAll(&asGIF, frames))
	require.NoError(t, png.Encode(&tiny, cropped{still, image.Rect(0, 0, 1, 1)}))
	webp, err := transform(largePictures(t)[0].data, `[{"name": "a", "width": 700}]`)
	require.NoError(t, err)
	return []*picture{
		newPicture("noise.jpg", "image/jpeg", asJPEG.Bytes()),
		newPicture("transparent.png", "image/png", asPNG.Bytes()),
		newPicture("animated.gif", "image/gif", asGIF.Bytes()),
		newPicture("photograph.webp", "image/webp", webp.variants[0].Bytes),
		newPicture("pixel.png", "image/png", tiny.Bytes()),
	}
}

// cropped bounds a picture that has no end.
type cropped struct {
	image.Image
	bounds image.Rectangle
}

func (c cropped) Bounds() image.Rectangle { return c.bounds }

// bomb is a PNG of a few hundred kilobytes that would decode to side × side
// pixels. Its packed zeros are one piece over and over: nobody unpacks it.
func bomb(side int) []byte {
	raw := side * (1 + (side+7)/8)
	const piece = 1 << 20
	packed := []byte{0x78, 0x9c}
	full := packedZeros(piece)
	for range raw / piece {
		packed = append(packed, full...)
	}
	packed = append(packed, packedZeros(raw%piece)...)
	packed = append(packed, 1, 0, 0, 0xff, 0xff) // the last block, empty
	packed = binary.BigEndian.AppendUint32(packed, uint32(raw%65521)<<16|1)

	header := binary.BigEndian.AppendUint32(nil, uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	header = append(header, 1, 0, 0, 0, 0)
	data := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []struct {
		kind string
		body []byte
	}{{"IHDR", header}, {"IDAT", packed}, {"IEND", nil}} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(chunk.body)))
		data = append(append(data, chunk.kind...), chunk.body...)
		data = binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(append([]byte(chunk.kind), chunk.body...)))
	}
	return data
}

func packedZeros(count int) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(make([]byte, count))
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		panic(err) // into memory: cannot fail
	}
	return out.Bytes()
}

// outside sees a stack as its users and operators do, over the network alone.
type outside struct {
	api     string
	objects cloud.Objects
	records cloud.Records
	js      jetstream.JetStream

	mu    sync.Mutex
	known map[string]*picture // by the name that uploads of it have
}

func lookAt(t *testing.T, stack *emulator.Stack) *outside {
	t.Helper()
	return lookAtURLs(t, stack.URL("uploads"), stack.S3URL(), stack.NATSURL(), stack.KeysFile())
}

func lookAtURLs(t *testing.T, api, s3URL, natsURL, keysFile string) *outside {
	t.Helper()
	o := &outside{api: api, known: map[string]*picture{}}
	var err error
	o.objects, err = clouds3.Open("s3+"+s3URL+"/"+emulator.Bucket, rootKeys(t, keysFile))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), askAtMost)
	defer cancel()
	o.records, err = cloudnats.OpenRecords(ctx, natsURL, contract.UploadsCollection)
	require.NoError(t, err)
	t.Cleanup(func() { o.records.Close() })
	nc, err := client.Connect(natsURL, client.MaxReconnects(-1), client.ReconnectWait(100*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	o.js, err = jetstream.New(nc)
	require.NoError(t, err)
	return o
}

// rootKeys may do everything in the object store.
func rootKeys(t *testing.T, file string) *credentials.Credentials {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var keys map[string]string
	require.NoError(t, json.Unmarshal(text, &keys))
	return credentials.NewStaticV4("drydock", keys["drydock"], "")
}

// refused is an answer that is no success.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.text) }

// do sends a request, and reads the JSON of a successful answer into answer, unless that is nil.
func do(ctx context.Context, method, url string, headers map[string]string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusMultipleChoices:
		return &refused{response.StatusCode, string(text)}
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}

func download(t *testing.T, url string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return data
}

// sender sends a file as it was signed.
type sender func(context.Context, uploads.SignedUpload, []byte) error

func byPut(ctx context.Context, signed uploads.SignedUpload, data []byte) error {
	return do(ctx, signed.Put.Method, signed.Put.URL, signed.Put.Headers, data, nil)
}

func byForm(ctx context.Context, signed uploads.SignedUpload, data []byte) error {
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
	return do(ctx, http.MethodPost, signed.Form.URL, map[string]string{"Content-Type": form.FormDataContentType()}, body.Bytes(), nil)
}

func (o *outside) sign(ctx context.Context, p *picture) (signed uploads.SignedUpload, err error) {
	o.mu.Lock()
	o.known[contract.CleanName(p.name)] = p
	o.mu.Unlock()
	ask, err := json.Marshal(uploads.NewUpload{Filename: p.name, ContentType: p.kind, Size: int64(len(p.data))})
	if err != nil {
		return signed, err
	}
	err = do(ctx, http.MethodPost, o.api+"/v1/uploads", map[string]string{"Content-Type": "application/json"}, ask, &signed)
	return signed, err
}

// send uploads a picture, trying again until the store has accepted it.
func (o *outside) send(ctx context.Context, p *picture, by sender) (id string, err error) {
	var signed uploads.SignedUpload
	if err := again(ctx, func(ctx context.Context) (err error) { signed, err = o.sign(ctx, p); return err }); err != nil {
		return "", fmt.Errorf("sign %q: %w", p.name, err)
	}
	if err := again(ctx, func(ctx context.Context) error { return by(ctx, signed, p.data) }); err != nil {
		return "", fmt.Errorf("send %q: %w", p.name, err)
	}
	return signed.ID, nil
}

// sendAll uploads pictures, a few at a time, the first half by form. It returns
// the accepted uploads, "" for each of the others.
func (o *outside) sendAll(ctx context.Context, pictures []*picture) (ids []string, err error) {
	ids = make([]string, len(pictures))
	var group errgroup.Group
	group.SetLimit(4)
	for i, p := range pictures {
		by := byForm
		if i >= len(pictures)/2 {
			by = byPut
		}
		group.Go(func() (err error) { ids[i], err = o.send(ctx, p, by); return err })
	}
	return ids, group.Wait()
}

// sendOne uploads a picture and returns what became of it.
func (o *outside) sendOne(t *testing.T, p *picture) (upload uploads.Upload) {
	t.Helper()
	id, err := o.send(t.Context(), p, byForm)
	require.NoError(t, err)
	await(t, func(context.Context) error {
		if upload = o.get(t, id); !upload.Status.Final() {
			return fmt.Errorf("%s is %s", p.name, upload.Status)
		}
		return nil
	})
	return upload
}

// get asks the API, which may be starting again.
func (o *outside) get(t *testing.T, id string) (upload uploads.Upload) {
	t.Helper()
	await(t, func(ctx context.Context) error {
		return do(ctx, http.MethodGet, o.api+"/v1/uploads/"+id, nil, nil, &upload)
	})
	return upload
}

// recorded is the status that the worker or a deletion has recorded; "" for none.
func (o *outside) recorded(t *testing.T, id string) contract.Status {
	t.Helper()
	record, err := o.records.Get(t.Context(), contract.RecordKey(demoOwner, id))
	if errors.Is(err, cloud.ErrNotFound) {
		return ""
	}
	require.NoError(t, err)
	var upload contract.Upload
	require.NoError(t, json.Unmarshal(record.Value, &upload))
	return upload.Status
}

// list returns the objects below a prefix by key.
func (o *outside) list(t *testing.T, prefix string) map[string]cloud.ObjectInfo {
	t.Helper()
	found := map[string]cloud.ObjectInfo{}
	for object, err := range o.objects.List(t.Context(), prefix, "") {
		require.NoError(t, err)
		found[object.Key] = object
	}
	return found
}

// worker is how the durable consumer of the images worker stands.
func (o *outside) worker(ctx context.Context) (*jetstream.ConsumerInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	consumer, err := o.js.Consumer(ctx, "objects", "images")
	if err != nil {
		return nil, err
	}
	return consumer.Info(ctx)
}

// deliveries counts what was handed to workers, repetitions too.
func (o *outside) deliveries(t *testing.T) uint64 {
	t.Helper()
	info, err := o.worker(t.Context())
	if errors.Is(err, jetstream.ErrConsumerNotFound) { // no worker has subscribed yet
		return 0
	}
	require.NoError(t, err)
	return info.Delivered.Consumer
}

// idle is an error while a worker has something to do.
func (o *outside) idle(ctx context.Context) error {
	info, err := o.worker(ctx)
	if err != nil {
		return err
	}
	if info.NumPending > 0 || info.NumAckPending > 0 {
		return fmt.Errorf("%d notifications wait for a worker, and %d are with one", info.NumPending, info.NumAckPending)
	}
	return nil
}

// event is a message of a stream.
type event struct {
	topic string
	data  []byte
}

func (o *outside) messages(t *testing.T, name string) (events []event) {
	t.Helper()
	stream, err := o.js.Stream(t.Context(), name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	require.NoError(t, err)
	state := stream.CachedInfo().State
	for sequence := state.FirstSeq; sequence <= state.LastSeq && state.Msgs > 0; sequence++ {
		message, err := stream.GetMsg(t.Context(), sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		require.NoError(t, err)
		events = append(events, event{message.Subject, message.Data})
	}
	return events
}

func (o *outside) deadLetters(t *testing.T) []event { return o.messages(t, "deadletters") }

// finished is an error while there may be work to do: an upload without its
// event, a notification that was not acknowledged.
func (o *outside) finished(ctx context.Context) error {
	arrived := 0
	for _, err := range o.objects.List(ctx, contract.Incoming, "") {
		if err != nil {
			return err
		}
		arrived++
	}
	stream, err := o.js.Stream(ctx, "images")
	if err != nil {
		return err
	}
	if told := stream.CachedInfo().State.Msgs; told < uint64(arrived) {
		return fmt.Errorf("%d of %d uploads have come to their end", told, arrived)
	}
	return o.idle(ctx)
}

// requireEachOnce waits until all work is done, and checks that it was done
// exactly once: everything that was accepted is there, everything that is there
// has the very variants that its bytes decide, one record and one event, and
// there is nothing else.
func (o *outside) requireEachOnce(t *testing.T, accepted []string) {
	t.Helper()
	await(t, o.finished)
	arrived := o.list(t, contract.Incoming)
	want, records := map[string]string{}, map[string]string{}
	ids := map[string]bool{"": true}
	for key, object := range arrived {
		_, id, name, ok := contract.ParseIncomingKey(key)
		require.True(t, ok, key)
		ids[id] = true
		o.mu.Lock()
		p := o.known[name]
		o.mu.Unlock()
		require.NotNil(t, p, key)
		want[key] = sum(p.data)
		made, err := p.made()
		status, topic := contract.StatusProcessed, contract.TopicProcessed(demoOwner)
		if rejected := (*vips.Rejected)(nil); errors.As(err, &rejected) || err == nil && !strings.HasSuffix(p.kind, made.source.Format) {
			status, topic = contract.StatusRejected, contract.TopicRejected(demoOwner)
		} else {
			require.NoError(t, err)
			for _, v := range made.variants {
				want[contract.VariantKey(demoOwner, id, v.Variant, v.Format.Extension())] = sum(v.Bytes)
			}
		}
		records[id] = fmt.Sprintf("%s %s %s", status, object.ETag, topic)
	}
	for _, id := range accepted {
		assert.True(t, ids[id], "the accepted upload %s is lost", id)
	}
	got := map[string]string{}
	for key, object := range o.list(t, "") {
		got[key] = fmt.Sprintf("%d bytes %s", object.Size, object.ETag)
	}
	assert.Equal(t, want, got, "the objects")
	o.requireRecordsAndEvents(t, records)
	assert.Empty(t, o.deadLetters(t))
}

func sum(data []byte) string {
	digest := md5.Sum(data)
	return fmt.Sprintf("%d bytes %s", len(data), hex.EncodeToString(digest[:]))
}

// requireRecordsAndEvents compares status, version and topic of all uploads
// with the records and the events, which have to say the same.
func (o *outside) requireRecordsAndEvents(t *testing.T, want map[string]string) {
	t.Helper()
	topics, told := map[string]string{}, map[string]string{}
	for _, e := range o.messages(t, "images") {
		var upload contract.Upload
		require.NoError(t, json.Unmarshal(e.data, &upload))
		_, twice := told[upload.ID]
		assert.False(t, twice, "a second event of upload %s", upload.ID)
		topics[upload.ID], told[upload.ID] = e.topic, string(e.data)
	}
	got, recorded := map[string]string{}, map[string]string{}
	for record, err := range o.records.List(t.Context(), demoOwner) {
		require.NoError(t, err)
		var upload contract.Upload
		require.NoError(t, json.Unmarshal(record.Value, &upload))
		got[upload.ID] = fmt.Sprintf("%s %s %s", upload.Status, upload.ETag, topics[upload.ID])
		recorded[upload.ID] = string(record.Value)
	}
	assert.Equal(t, want, got, "the records, with the topics of their events")
	assert.True(t, maps.Equal(recorded, told), "an event says something else than its record")
}

// publishCreated announces an object as the store does.
func publishCreated(t *testing.T, bus cloud.Bus, id string, object cloud.ObjectInfo) {
	t.Helper()
	require.NoError(t, bus.Publish(t.Context(), contract.TopicObjectsCreated, cloud.Event{
		ID: id, Source: "/test", Type: "test",
		Data: contract.ObjectsCreated(contract.Object{Bucket: emulator.Bucket, Key: object.Key, Size: object.Size, ETag: object.ETag}),
	}))
}

// sendSignal sends a signal to every process of a job, as soon as there is one.
func sendSignal(t *testing.T, stack *emulator.Stack, job string, s syscall.Signal) {
	t.Helper()
	await(t, func(context.Context) error {
		if len(stack.PIDs(job)) == 0 {
			return fmt.Errorf("no process of job %s runs", job)
		}
		return nil
	})
	for _, pid := range stack.PIDs(job) {
		require.NoError(t, syscall.Kill(pid, s))
	}
}
