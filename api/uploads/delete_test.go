package uploads

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

func (b *bench) delete(t testing.TB, owner, id string, status int) {
	t.Helper()
	code, _, body := b.call(t, owner, http.MethodDelete, "/v1/uploads/"+id, "")
	require.Equal(t, status, code, "%s", body)
}

// vary puts a variant of an upload into the store.
func (b *bench) vary(t testing.TB, owner, id, name string) string {
	t.Helper()
	key := contract.VariantKey(owner, id, name, "webp")
	_, err := b.options.Objects.Put(within(t), key, strings.NewReader("small"), 5, cloud.PutOptions{})
	require.NoError(t, err)
	return key
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := start(t)
	kept, _ := b.drop(t, "ann", time.Now(), "picture")
	b.vary(t, "ann", kept, "small")
	left := b.keys(t, "")

	for name, prepare := range map[string]func(t *testing.T) string{
		"signed": func(t *testing.T) string { return b.signUpload(t, "ann", "a", "image/png", 1).ID },
		"expired a moment ago": func(*testing.T) string { // the file may still be on its way
			return contract.NewUploadID(time.Now().Add(-16 * time.Minute))
		},
		"arrived": func(t *testing.T) string {
			id, _ := b.drop(t, "ann", time.Now(), "picture")
			return id
		},
		"arrived long ago": func(t *testing.T) string {
			id, _ := b.drop(t, "ann", time.Now().Add(-24*time.Hour), "picture")
			return id
		},
		"processing": func(t *testing.T) string {
			id, _ := b.drop(t, "ann", time.Now(), "picture")
			b.work(t, "ann", id, contract.StatusProcessing, nil)
			b.vary(t, "ann", id, "small")
			return id
		},
		"processed": func(t *testing.T) string {
			id, _ := b.drop(t, "ann", time.Now(), "picture")
			b.work(t, "ann", id, contract.StatusProcessed, func(doc *contract.Upload) {
				doc.Variants = []contract.Variant{{Key: b.vary(t, "ann", id, "small")}, {Key: b.vary(t, "ann", id, "large")}}
			})
			return id
		},
		"rejected": func(t *testing.T) string {
			id, _ := b.drop(t, "ann", time.Now(), "picture")
			b.work(t, "ann", id, contract.StatusRejected, func(doc *contract.Upload) { doc.Reason = "No." })
			return id
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := prepare(t)
			for range 2 {
				b.delete(t, "ann", id, http.StatusNoContent)
				get[problem](t, b, "ann", "/v1/uploads/"+id, http.StatusNotFound)
			}
			require.Equal(t, left, b.keys(t, ""))
			record, err := b.options.Records.Get(within(t), contract.RecordKey("ann", id))
			require.NoError(t, err)
			doc, err := document(record)
			require.NoError(t, err)
			require.Equal(t, contract.StatusDeleted, doc.Status)
			require.Equal(t, id, doc.ID)
			require.Equal(t, "ann", doc.Owner)
			require.Empty(t, doc.Variants)
			require.WithinDuration(t, time.Now(), doc.Updated, time.Minute)

			// What arrives after all is not shown, and goes when it is deleted again.
			_, err = b.options.Objects.Put(within(t), contract.IncomingKey("ann", id, "late.jpg"), strings.NewReader("late"), 4, cloud.PutOptions{})
			require.NoError(t, err)
			get[problem](t, b, "ann", "/v1/uploads/"+id, http.StatusNotFound)
			b.delete(t, "ann", id, http.StatusNoContent)
			require.Equal(t, left, b.keys(t, ""))
		})
	}
}

func TestDeleteRefusals(t *testing.T) {
	t.Parallel()
	b := start(t)
	for name, id := range map[string]string{
		"malformed":     "nonsense",
		"in the future": contract.NewUploadID(time.Now().Add(time.Hour)),
		"never arrived": contract.NewUploadID(time.Now().Add(-time.Hour)),
	} {
		t.Run(name, func(t *testing.T) {
			b.delete(t, "ann", id, http.StatusNotFound)
			_, err := b.options.Records.Get(within(t), contract.RecordKey("ann", id))
			require.ErrorIs(t, err, cloud.ErrNotFound)
		})
	}
}

// TestDeleteBetween: a worker writes its record just before the tombstone, at
// every step of its work.
func TestDeleteBetween(t *testing.T) {
	t.Parallel()
	records := &countingRecords{}
	b := start(t, func(o *Options) { records.Records, o.Records = o.Records, records })
	id, _ := b.drop(t, "ann", time.Now(), "picture")
	steps := []contract.Status{contract.StatusProcessing, contract.StatusProcessed, contract.StatusProcessing, contract.StatusRejected}
	worker := &bench{Service: New(Options{Records: records.Records})}
	records.beforePut = func(string) {
		if len(steps) > 0 {
			worker.work(t, "ann", id, steps[0], nil)
			steps = steps[1:]
		}
	}
	b.delete(t, "ann", id, http.StatusNoContent)
	require.Empty(t, steps)
	get[problem](t, b, "ann", "/v1/uploads/"+id, http.StatusNotFound)
}

// TestDeleteRaces lets workers go through their states by compare-and-swap
// while the upload is deleted by several at once: the tombstone stays.
func TestDeleteRaces(t *testing.T) {
	t.Parallel()
	b := start(t)
	for range 20 {
		id, _ := b.drop(t, "ann", time.Now(), "picture")
		var deleted atomic.Bool
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { workOn(within(t), t, b, id) })
			both.Go(func() {
				b.delete(t, "ann", id, http.StatusNoContent)
				deleted.Store(true)
			})
		}
		both.Wait()
		require.True(t, deleted.Load())
		get[problem](t, b, "ann", "/v1/uploads/"+id, http.StatusNotFound)
		require.Empty(t, b.keys(t, contract.IncomingFolder("ann", id)))
	}
}

// workOn writes states until it meets the tombstone, as the images worker does.
func workOn(ctx context.Context, t *testing.T, b *bench, id string) {
	for i := 0; ctx.Err() == nil; i++ {
		doc, revision, err := b.record(ctx, "ann", id)
		if err != nil && !errors.Is(err, cloud.ErrNotFound) {
			t.Error(err)
			return
		}
		if doc.Status == contract.StatusDeleted {
			return
		}
		doc = contract.Upload{ID: id, Owner: "ann", Status: []contract.Status{contract.StatusProcessing, contract.StatusProcessed}[i%2]}
		if err := b.write(ctx, doc, revision); err != nil && !errors.Is(err, cloud.ErrConflict) && !errors.Is(err, cloud.ErrExists) {
			t.Error(err)
			return
		}
	}
	t.Error("the upload was never deleted")
}
