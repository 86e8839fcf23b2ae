package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/contract"
	servernats "github.com/drydock/drydock/emulator/nats"
	servers3 "github.com/drydock/drydock/emulator/s3"
	"github.com/drydock/drydock/workers/images/vips"
	"github.com/drydock/drydock/workers/runner"
)

func TestMain(m *testing.M) {
	if err := vips.Startup(); err != nil {
		panic(err)
	}
	m.Run()
}

// bench is a handler on real parts.
type bench struct {
	*handler
	t   *testing.T
	ctx context.Context
	bus *nats.Bus
}

func setUp(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	events, err := servernats.Start(servernats.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { events.Close() })
	store, err := servers3.Open(servers3.Options{Dir: t.TempDir(), Keys: map[string]servers3.Key{"k": {Secret: "s"}}, NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	require.NoError(t, store.CreateBucket("uploads"))
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)

	bus, err := nats.OpenBus(ctx, events.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	records, err := nats.OpenRecords(ctx, events.URL(), contract.UploadsCollection)
	require.NoError(t, err)
	t.Cleanup(func() { records.Close() })
	objects, err := s3.Open("s3+http://"+server.Listener.Addr().String()+"/uploads", credentials.NewStaticV4("k", "s", ""))
	require.NoError(t, err)
	return &bench{t: t, ctx: ctx, bus: bus, handler: &handler{
		bus: bus, objects: objects, records: records, scratch: t.TempDir(),
		variants: []vips.Variant{{Name: "thumb", Width: 8, Height: 8, Crop: vips.Centre, Format: vips.WebP, Quality: 80, Effort: 0}},
		limits:   vips.DefaultLimits(),
		log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
	}}
}

// picture is a small JPEG; another shade is another picture.
func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 40, 20))
	for i := range img.Pix {
		img.Pix[i] = color.Gray{Y: shade + uint8(i%40)}.Y
	}
	var data bytes.Buffer
	require.NoError(t, jpeg.Encode(&data, img, nil))
	return data.Bytes()
}

// arrive stores an upload's object and returns its key and event.
func (b *bench) arrive(data []byte, contentType string) (key string, event cloud.Event) {
	b.t.Helper()
	key = contract.IncomingKey("demo", contract.NewUploadID(time.Now()), "a b.jpg")
	return key, b.put(key, data, contentType)
}

func (b *bench) put(key string, data []byte, contentType string) cloud.Event {
	b.t.Helper()
	info, err := b.objects.Put(b.ctx, key, bytes.NewReader(data), int64(len(data)), cloud.PutOptions{ContentType: contentType})
	require.NoError(b.t, err)
	body := contract.ObjectsCreated(contract.Object{Bucket: "uploads", Key: key, Size: info.Size, ETag: info.ETag})
	return cloud.Event{ID: key, Source: "/test", Type: "test", Data: body}
}

func (b *bench) record(key string) (contract.Upload, uint64) {
	b.t.Helper()
	owner, id, _, ok := contract.ParseIncomingKey(key)
	require.True(b.t, ok)
	record, err := b.records.Get(b.ctx, contract.RecordKey(owner, id))
	require.NoError(b.t, err)
	var upload contract.Upload
	require.NoError(b.t, json.Unmarshal(record.Value, &upload))
	return upload, record.Revision
}

// announced returns the events of the images stream until now.
func (b *bench) announced() (events []cloud.Event) {
	b.t.Helper()
	consumer, err := b.bus.Subscribe(b.ctx, cloud.Subscription{Name: strings.ToLower(contract.NewUploadID(time.Now())), Topic: "images.>", AckWait: time.Minute})
	require.NoError(b.t, err)
	defer consumer.Close()
	end := cloud.Event{ID: contract.NewUploadID(time.Now()), Source: "/test", Type: "end"}
	require.NoError(b.t, b.bus.Publish(b.ctx, "images.end", end))
	for {
		delivery, err := consumer.Next(b.ctx)
		require.NoError(b.t, err)
		switch event := delivery.Event(); {
		case event.ID == end.ID:
			return events
		case event.Type != end.Type:
			events = append(events, event)
		}
	}
}

func (b *bench) keys(prefix string) (keys []string) {
	b.t.Helper()
	for info, err := range b.objects.List(b.ctx, prefix, "") {
		require.NoError(b.t, err)
		keys = append(keys, info.Key)
	}
	return keys
}

func TestAPictureIsProcessedOnceHoweverOftenItIsDelivered(t *testing.T) {
	b := setUp(t)
	key, event := b.arrive(picture(t, 10), "image/jpeg")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { assert.NoError(t, b.Handle(b.ctx, event)) })
	}
	group.Wait()
	upload, revision := b.record(key)
	assert.Equal(t, contract.StatusProcessed, upload.Status)
	assert.Equal(t, []int{40, 20, 1}, []int{upload.Width, upload.Height, upload.Pages})
	require.Len(t, upload.Variants, 1)
	require.NoError(t, b.Handle(b.ctx, event))
	again, unchanged := b.record(key)
	assert.Equal(t, upload, again)
	assert.Equal(t, revision, unchanged)

	events := b.announced()
	require.Len(t, events, 1)
	assert.Equal(t, "dev.drydock.images.processed", events[0].Type)
	assert.Equal(t, key, events[0].Subject)
	var announced contract.Upload
	require.NoError(t, json.Unmarshal(events[0].Data, &announced))
	assert.Equal(t, upload, announced)
	assert.Equal(t, []string{upload.Variants[0].Key}, b.keys(contract.Processed))
}

func TestWhatCanNeverWorkIsRejectedWithAReason(t *testing.T) {
	b := setUp(t)
	for _, test := range []struct {
		name, contentType, reason string
		data                      []byte
	}{
		{"another type", "image/png", "announced as image/png, but it is a JPEG", picture(t, 10)},
		{"no picture", "image/jpeg", "not a picture", []byte("hello")},
		{"empty", "image/jpeg", "empty", nil},
	} {
		key, event := b.arrive(test.data, test.contentType)
		require.NoError(t, b.Handle(b.ctx, event), test.name)
		upload, _ := b.record(key)
		assert.Equal(t, contract.StatusRejected, upload.Status, test.name)
		assert.Contains(t, upload.Reason, test.reason, test.name)
	}
	b.limits.File = 3
	key, event := b.arrive(picture(t, 10), "image/jpeg")
	require.NoError(t, b.Handle(b.ctx, event))
	upload, _ := b.record(key)
	assert.Contains(t, upload.Reason, "too large")
	assert.Len(t, b.announced(), 4)
	assert.Empty(t, b.keys(contract.Processed))
}

func TestTypesOfContentThatFit(t *testing.T) {
	t.Parallel()
	for _, fits := range [][2]string{{"image/jpeg", "jpeg"}, {"IMAGE/JPEG; q=1", "jpeg"}, {"image/jpg", "jpeg"}, {"image/heic", "heif"}, {"image/avif", "avif"}, {"application/octet-stream", "gif"}, {"", "png"}} {
		assert.True(t, declared(fits[0], fits[1]), fits)
	}
	for _, unfit := range [][2]string{{"image/png", "jpeg"}, {"text/html", "png"}, {"image/heic", "avif"}} {
		assert.False(t, declared(unfit[0], unfit[1]), unfit)
	}
}

func TestADeletedUploadLeavesNothing(t *testing.T) {
	b := setUp(t)
	key, event := b.arrive(picture(t, 10), "image/jpeg")
	owner, id, _, _ := contract.ParseIncomingKey(key)
	tombstone, err := json.Marshal(contract.Upload{ID: id, Owner: owner, Status: contract.StatusDeleted})
	require.NoError(t, err)
	_, err = b.records.Put(b.ctx, contract.RecordKey(owner, id), tombstone, 0, time.Hour)
	require.NoError(t, err)
	require.NoError(t, b.Handle(b.ctx, event))
	require.NoError(t, b.Handle(b.ctx, event), "again, with the object gone")
	assert.Empty(t, b.keys(""))
	assert.Empty(t, b.announced())
}

// deletingObjects deletes the upload at the moment its variant is stored.
type deletingObjects struct {
	cloud.Objects
	delete func()
}

func (o deletingObjects) Put(ctx context.Context, key string, body io.Reader, size int64, options cloud.PutOptions) (cloud.ObjectInfo, error) {
	o.delete()
	return o.Objects.Put(ctx, key, body, size, options)
}

func TestAnUploadDeletedInTheMiddleLeavesNothing(t *testing.T) {
	b := setUp(t)
	key, event := b.arrive(picture(t, 10), "image/jpeg")
	b.objects = deletingObjects{b.objects, func() {
		upload, revision := b.record(key)
		upload.Status = contract.StatusDeleted
		value, err := json.Marshal(upload)
		require.NoError(t, err)
		_, err = b.records.Put(b.ctx, contract.RecordKey(upload.Owner, upload.ID), value, revision, time.Hour)
		require.NoError(t, err)
	}}
	require.NoError(t, b.Handle(b.ctx, event))
	assert.Empty(t, b.keys(""))
	assert.Empty(t, b.announced())
}

func TestANewVersionOfTheObjectIsProcessedToo(t *testing.T) {
	b := setUp(t)
	key, event := b.arrive(picture(t, 10), "image/jpeg")
	require.NoError(t, b.Handle(b.ctx, event))
	first, _ := b.record(key)
	event = b.put(key, picture(t, 90), "image/jpeg")
	require.NoError(t, b.Handle(b.ctx, event))
	second, _ := b.record(key)
	assert.NotEqual(t, first.ETag, second.ETag)
	assert.Equal(t, contract.StatusProcessed, second.Status)
	assert.Len(t, b.announced(), 2)
}

func TestWhoeverWaitsIsToldThatItWasGivenUp(t *testing.T) {
	b := setUp(t)
	key, event := b.arrive(picture(t, 10), "image/jpeg")
	require.NoError(t, b.GiveUp(b.ctx, event, errors.New("the decoder crashed")))
	require.NoError(t, b.GiveUp(b.ctx, event, errors.New("the decoder crashed")))
	upload, _ := b.record(key)
	assert.Equal(t, contract.StatusRejected, upload.Status)
	assert.Contains(t, upload.Reason, "several attempts")
	assert.Len(t, b.announced(), 1)
	require.NoError(t, b.GiveUp(b.ctx, cloud.Event{Data: []byte("no notification")}, errors.New("x")))
}

// A store may not find for a while what it has: one 404 is not the end.
func TestAnOriginalThatIsNotFoundIsTriedAgain(t *testing.T) {
	b := setUp(t)
	event := cloud.Event{Data: contract.ObjectsCreated(contract.Object{
		Bucket: "uploads", Key: contract.IncomingKey("demo", contract.NewUploadID(time.Now()), "gone.jpg"),
	})}
	err := b.Handle(b.ctx, event)
	require.ErrorIs(t, err, cloud.ErrNotFound)
	require.NotErrorIs(t, err, runner.ErrPermanent)
	require.NoError(t, b.GiveUp(b.ctx, event, err), "nobody waits for a picture that is not there")
	assert.Empty(t, b.announced())
}

func TestEventsOfOthersAreLeftAlone(t *testing.T) {
	b := setUp(t)
	key, _ := b.arrive(picture(t, 10), "image/jpeg")
	for _, object := range []contract.Object{
		{Bucket: "other", Key: key},
		{Bucket: "uploads", Key: "elsewhere/a.jpg"},
	} {
		require.NoError(t, b.Handle(b.ctx, cloud.Event{Data: contract.ObjectsCreated(object)}))
	}
	assert.Empty(t, b.announced())
	err := b.Handle(b.ctx, cloud.Event{Data: []byte("{")})
	assert.ErrorIs(t, err, runner.ErrPermanent)
}

func TestTheEnvironmentIsChecked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		env  map[string]string
		says string
	}{
		{nil, map[string]string{"DRYDOCK_VARIANTS": "/absent.json"}, "DRYDOCK_VARIANTS=/absent.json: open /absent.json"},
		{nil, map[string]string{"DRYDOCK_CONCURRENCY": "many"}, "DRYDOCK_CONCURRENCY=many is not a number from 1 to 1024"},
		{nil, nil, "DRYDOCK_OBJECTS is not set"},
		{nil, map[string]string{"DRYDOCK_OBJECTS": "s3+http://127.0.0.1:1/b"}, "DRYDOCK_BUS is not set"},
		{[]string{"extra"}, nil, `argument "extra" is not expected`},
		{[]string{"--wrong"}, nil, "flag provided but not defined"},
	} {
		err := run(context.Background(), test.args, func(name string) string { return test.env[name] }, io.Discard, io.Discard)
		require.ErrorContains(t, err, test.says)
		assert.NotContains(t, err.Error(), "\n")
	}
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"--version"}, func(string) string { return "" }, &out, io.Discard))
	assert.True(t, strings.HasPrefix(out.String(), "drydock-images "))
}
