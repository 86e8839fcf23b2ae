package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/workers/images/vips"
	"github.com/drydock/drydock/workers/runner"
)

// source and the event types are how the worker signs its events.
const (
	source        = "/drydock/images"
	typeProcessed = "dev.drydock.images.processed"
	typeRejected  = "dev.drydock.images.rejected"
)

// immutable: a variant's key always holds the same bytes.
const cacheControl = "private, max-age=31536000, immutable"

// swaps bounds how often a record that changes meanwhile is looked at anew.
const swaps = 10

// handler makes the variants of the pictures that arrive. What it does is
// decided by the object alone: the same one gives the same keys, bytes and
// event, so that doing it twice is the same as once.
type handler struct {
	bus      cloud.Bus
	objects  cloud.Objects
	records  cloud.Records
	variants []vips.Variant
	limits   vips.Limits
	scratch  string // folder for the originals while they are worked on; empty for the system's own
	log      *slog.Logger
}

// Handle implements runner.Handler for the events of the object store.
func (h *handler) Handle(ctx context.Context, event cloud.Event) error {
	objects, err := contract.ParseObjectsCreated(event.Data)
	if err != nil {
		return runner.Permanent(err)
	}
	for _, object := range objects {
		if object.Bucket != h.objects.Bucket() {
			continue
		}
		if err := h.process(ctx, object.Key); err != nil {
			return err
		}
	}
	return nil
}

// GiveUp implements runner.Handler: whoever waits for the picture is told.
func (h *handler) GiveUp(ctx context.Context, event cloud.Event, _ error) error {
	objects, err := contract.ParseObjectsCreated(event.Data)
	if err != nil {
		return nil // it names no picture that anybody waits for
	}
	for _, object := range objects {
		if object.Bucket != h.objects.Bucket() {
			continue
		}
		upload, ok := begin(object.Key)
		if !ok {
			continue
		}
		info, err := h.objects.Head(ctx, object.Key)
		if errors.Is(err, cloud.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		upload = upload.with(info)
		upload.Status, upload.Reason = contract.StatusRejected, "The picture could not be processed after several attempts."
		if err := h.settle(ctx, upload); err != nil {
			return err
		}
	}
	return nil
}

// document is an upload on its way through the worker.
type document struct{ contract.Upload }

// begin reads the upload from its object's key; ok is false for an object that is none.
func begin(key string) (d document, ok bool) {
	d.Owner, d.ID, d.Filename, ok = contract.ParseIncomingKey(key)
	return d, ok
}

func (d document) with(info cloud.ObjectInfo) document {
	d.ContentType, d.Size, d.ETag, d.Arrived = info.ContentType, info.Size, info.ETag, info.Modified.UTC()
	return d
}

func (d document) key() string { return contract.IncomingKey(d.Owner, d.ID, d.Filename) }

// process takes one object from its arrival to a final status.
func (h *handler) process(ctx context.Context, key string) error {
	upload, ok := begin(key)
	if !ok {
		h.log.Info("not an upload", "key", key)
		return nil
	}
	body, info, err := h.objects.Get(ctx, key)
	if errors.Is(err, cloud.ErrNotFound) {
		return h.gone(ctx, upload)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	upload = upload.with(info)
	upload.Status = contract.StatusProcessing

	stored, err := h.store(ctx, upload.Upload)
	if err != nil {
		return err
	}
	switch {
	case stored.Status == contract.StatusDeleted:
		return h.remove(ctx, upload)
	case stored.ETag != upload.ETag:
		return nil // a newer version of the object is being worked on
	case stored.Status.Final():
		return h.announce(ctx, stored) // done already, perhaps without a word of it
	}

	err = h.transform(ctx, body, &upload)
	var rejected *vips.Rejected
	switch {
	case errors.As(err, &rejected):
		h.log.Info("rejected", "key", key, "reason", rejected.Reason, "detail", rejected.Detail)
		upload.Status, upload.Reason = contract.StatusRejected, rejected.Reason
	case err != nil:
		return fmt.Errorf("process %s: %w", key, err)
	default:
		upload.Status = contract.StatusProcessed
	}
	return h.settle(ctx, upload)
}

// gone sees to an upload whose original is not there: when it was deleted, an
// attempt that was killed may have stored variants since. When nobody deleted it,
// the attempt has failed: a store whose servers come back may not find for a
// while what it has.
func (h *handler) gone(ctx context.Context, upload document) error {
	record, err := h.records.Get(ctx, contract.RecordKey(upload.Owner, upload.ID))
	if err != nil && !errors.Is(err, cloud.ErrNotFound) {
		return err
	}
	var stored contract.Upload
	if err == nil && json.Unmarshal(record.Value, &stored) == nil && stored.Status == contract.StatusDeleted {
		return h.remove(ctx, upload)
	}
	return fmt.Errorf("get original %s, which nobody has deleted: %w", upload.key(), cloud.ErrNotFound)
}

// settle records the final status and announces it. When the upload was
// deleted meanwhile, what was made of it goes as well.
func (h *handler) settle(ctx context.Context, upload document) error {
	stored, err := h.store(ctx, upload.Upload)
	if err != nil {
		return err
	}
	switch {
	case stored.Status == contract.StatusDeleted:
		return h.remove(ctx, upload)
	case stored.ETag != upload.ETag:
		return nil // a newer version of the object is being worked on
	}
	return h.announce(ctx, stored)
}

// store records the upload and returns what is recorded then: a deletion, a
// final status of the same version of the object, and a newer version stay.
func (h *handler) store(ctx context.Context, upload contract.Upload) (contract.Upload, error) {
	upload.Updated = time.Now().UTC()
	value, err := json.Marshal(upload)
	if err != nil {
		return contract.Upload{}, fmt.Errorf("store upload %s: %w", upload.ID, err)
	}
	key := contract.RecordKey(upload.Owner, upload.ID)
	for range swaps {
		record, err := h.records.Get(ctx, key)
		if err != nil && !errors.Is(err, cloud.ErrNotFound) {
			return contract.Upload{}, err
		}
		if err == nil {
			var stored contract.Upload
			if err := json.Unmarshal(record.Value, &stored); err != nil {
				return contract.Upload{}, fmt.Errorf("read record %s: %w", key, err)
			}
			same := stored.ETag == upload.ETag
			if stored.Status == contract.StatusDeleted || same && stored.Status.Final() || !same && stored.Arrived.After(upload.Arrived) {
				return stored, nil
			}
		}
		_, err = h.records.Put(ctx, key, value, record.Revision, 0)
		if err == nil {
			return upload, nil
		}
		if !errors.Is(err, cloud.ErrConflict) && !errors.Is(err, cloud.ErrExists) {
			return contract.Upload{}, err
		}
	}
	return contract.Upload{}, fmt.Errorf("store upload %s: its record changed %d times meanwhile", upload.ID, swaps)
}

// transform makes the variants and puts them into the object store.
func (h *handler) transform(ctx context.Context, body io.Reader, upload *document) error {
	file, err := h.download(body, upload.Size)
	if err != nil {
		return err
	}
	defer file.Close()
	picture, outputs, err := vips.Transform(ctx, file, h.variants, h.limits)
	if err != nil {
		return err
	}
	if !declared(upload.ContentType, picture.Format) {
		return &vips.Rejected{Reason: fmt.Sprintf("The file was announced as %s, but it is a %s picture.", upload.ContentType, strings.ToUpper(picture.Format))}
	}
	upload.Width, upload.Height, upload.Pages = picture.Width, picture.Height, picture.Pages
	upload.Variants = make([]contract.Variant, len(outputs))
	puts, ctx := errgroup.WithContext(ctx)
	for i, output := range outputs {
		variant := contract.Variant{
			Name:        output.Variant,
			Key:         contract.VariantKey(upload.Owner, upload.ID, output.Variant, output.Format.Extension()),
			ContentType: output.Format.ContentType(),
			Size:        int64(len(output.Bytes)),
			Width:       output.Width,
			Height:      output.Height,
		}
		upload.Variants[i] = variant
		puts.Go(func() error {
			options := cloud.PutOptions{ContentType: variant.ContentType, CacheControl: cacheControl}
			_, err := h.objects.Put(ctx, variant.Key, bytes.NewReader(output.Bytes), variant.Size, options)
			return err
		})
	}
	return puts.Wait()
}

// download copies the original to a file: decoding from one takes far less
// memory than from a buffer, at the same speed. The file has no name, so that
// it goes with this process, however that ends.
func (h *handler) download(body io.Reader, size int64) (*os.File, error) {
	if size > h.limits.File {
		return nil, &vips.Rejected{Reason: fmt.Sprintf("The file is too large: it is %d MB, and %d is the most.", size>>20, h.limits.File>>20)}
	}
	file, err := os.CreateTemp(h.scratch, "original-*")
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	err = os.Remove(file.Name())
	if err == nil {
		var n int64
		if n, err = io.Copy(file, io.LimitReader(body, size)); err == nil && n != size {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		return nil, fmt.Errorf("download: %w", errors.Join(err, file.Close()))
	}
	return file, nil
}

// declared tells whether a media type names the format that was found. Where
// the sender did not know, there is nothing to hold it against.
func declared(contentType, format string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "", "application/octet-stream", "binary/octet-stream":
		return true
	case "image/jpg", "image/pjpeg":
		return format == "jpeg"
	case "image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence":
		return format == "heif"
	case "image/apng", "image/x-png":
		return format == "png"
	}
	return kind == "image/"+format
}

// remove takes away what a deleted upload left or got meanwhile, also from an
// attempt that was killed. The original goes last: it is what finds the rest.
func (h *handler) remove(ctx context.Context, upload document) error {
	h.log.Info("deleted meanwhile", "key", upload.key())
	for variant, err := range h.objects.List(ctx, contract.ProcessedFolder(upload.Owner, upload.ID), "") {
		if err != nil {
			return err
		}
		if err := h.objects.Delete(ctx, variant.Key); err != nil {
			return err
		}
	}
	return h.objects.Delete(ctx, upload.key())
}

// announce publishes the final status. The event's identity is the object's
// version, so that announcing twice is the same as once.
func (h *handler) announce(ctx context.Context, upload contract.Upload) error {
	topic, kind := contract.TopicProcessed(upload.Owner), typeProcessed
	if upload.Status == contract.StatusRejected {
		topic, kind = contract.TopicRejected(upload.Owner), typeRejected
	}
	data, err := json.Marshal(upload)
	if err != nil {
		return fmt.Errorf("announce upload %s: %w", upload.ID, err)
	}
	return h.bus.Publish(ctx, topic, cloud.Event{
		ID:      upload.ID + "/" + upload.ETag,
		Source:  source,
		Type:    kind,
		Subject: contract.IncomingKey(upload.Owner, upload.ID, upload.Filename),
		Time:    upload.Updated,
		Data:    data,
	})
}
