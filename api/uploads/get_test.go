package uploads

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

func TestGet(t *testing.T) {
	t.Parallel()
	b := start(t)
	now := time.Now()

	t.Run("signed", func(t *testing.T) {
		signed := b.signUpload(t, "ann", "a.png", "image/png", 1)
		view := get[Upload](t, b, "ann", "/v1/uploads/"+signed.ID, http.StatusOK)
		made, _ := contract.UploadTime(signed.ID)
		require.Equal(t, Upload{
			ID: signed.ID, Status: contract.StatusWaiting, Created: made.UTC(), Expires: signed.Expires, Variants: []Variant{},
		}, view)
	})
	t.Run("expired", func(t *testing.T) {
		id := contract.NewUploadID(now.Add(-16 * time.Minute))
		view := get[Upload](t, b, "ann", "/v1/uploads/"+id, http.StatusOK)
		require.Equal(t, contract.StatusRejected, view.Status)
		require.Equal(t, "Nothing arrived before the upload link expired at "+now.Add(-time.Minute).UTC().Format(time.RFC3339)+"; ask for a new one.", view.Reason)
	})
	t.Run("arrived", func(t *testing.T) {
		for _, age := range []time.Duration{0, time.Hour} { // late or not: what is there is there
			id, _ := b.drop(t, "ann", now.Add(-age), "picture")
			view := get[Upload](t, b, "ann", "/v1/uploads/"+id, http.StatusOK)
			require.Equal(t, contract.StatusWaiting, view.Status)
			require.True(t, view.Received)
			require.Equal(t, "harbour.jpg", view.Filename)
			require.EqualValues(t, 7, *view.Size)
			require.True(t, view.Expires.IsZero())
			require.WithinDuration(t, now, view.Updated, time.Minute)
			code, body := b.download(t, view.Original.URL)
			require.Equal(t, http.StatusOK, code)
			require.Equal(t, "picture", body)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		id, _ := b.drop(t, "ann", now, "picture")
		b.work(t, "ann", id, contract.StatusRejected, func(doc *contract.Upload) { doc.Reason = "No picture." })
		view := get[Upload](t, b, "ann", "/v1/uploads/"+id, http.StatusOK)
		require.Equal(t, contract.StatusRejected, view.Status)
		require.Equal(t, "No picture.", view.Reason)
	})
	t.Run("deleted", func(t *testing.T) {
		id, _ := b.drop(t, "ann", now, "picture")
		b.work(t, "ann", id, contract.StatusDeleted, nil)
		require.Contains(t, get[problem](t, b, "ann", "/v1/uploads/"+id, http.StatusNotFound).Detail, "it was deleted")
	})
}

func TestGetProcessed(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.LinkValidity = 10 * time.Minute })
	id, _ := b.drop(t, "ann", time.Now(), "picture")
	key := contract.VariantKey("ann", id, "thumbnail", "webp")
	_, err := b.options.Objects.Put(within(t), key, strings.NewReader("small"), 5, cloud.PutOptions{ContentType: "image/webp"})
	require.NoError(t, err)
	doc := b.work(t, "ann", id, contract.StatusProcessed, func(doc *contract.Upload) {
		doc.Width, doc.Height, doc.Pages = 4000, 3000, 1
		doc.Variants = []contract.Variant{{Name: "thumbnail", Key: key, ContentType: "image/webp", Size: 5, Width: 160, Height: 160}}
	})

	view := get[Upload](t, b, "ann", "/v1/uploads/"+id, http.StatusOK)
	require.Equal(t, contract.StatusProcessed, view.Status)
	require.Equal(t, []any{"harbour.jpg", "image/jpeg", int64(7), 4000, 3000, 1}, []any{view.Filename, view.ContentType, *view.Size, view.Width, view.Height, view.Pages})
	require.True(t, doc.Updated.Equal(view.Updated))
	require.Len(t, view.Variants, 1)
	small := view.Variants[0]
	require.Equal(t, []any{"thumbnail", "image/webp", int64(5), 160, 160}, []any{small.Name, small.ContentType, small.Size, small.Width, small.Height})
	code, body := b.download(t, small.URL)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "small", body)
	link, err := url.Parse(view.Original.URL)
	require.NoError(t, err)
	require.Equal(t, "600", link.Query().Get("X-Amz-Expires"))
}

func TestGetRefusals(t *testing.T) {
	t.Parallel()
	b := start(t)
	id, _ := b.drop(t, "ann", time.Now(), "picture")
	for _, path := range []string{
		"/v1/uploads/" + strings.ToUpper(id),
		"/v1/uploads/" + id[1:],
		"/v1/uploads/" + id + "0",
		"/v1/uploads/" + strings.Repeat("z", 24),
		"/v1/uploads/" + strings.Repeat("0", 24), // thousands of years ahead
		"/v1/uploads/" + contract.NewUploadID(time.Now().Add(2*time.Minute)),
		"/v1/uploads/..%2Fbob%2F" + id,
		"/v1/uploads/%00",
		"/v1/uploads/" + url.PathEscape(strings.Repeat("写", 1000)),
	} {
		for _, rest := range []string{"", "/events"} {
			said := get[problem](t, b, "ann", path+rest, http.StatusNotFound)
			require.Contains(t, said.Detail, "There is no upload")
			require.Less(t, len(said.Detail), 300)
		}
	}
	// Another instance's clock may be a little ahead.
	get[Upload](t, b, "ann", "/v1/uploads/"+contract.NewUploadID(time.Now().Add(30*time.Second)), http.StatusOK)
}

// TestIsolation: an owner reaches nothing of another, with the right id either.
func TestIsolation(t *testing.T) {
	t.Parallel()
	b := start(t)
	arrived, _ := b.drop(t, "ann", time.Now(), "picture")
	processed, _ := b.drop(t, "ann", time.Now(), "picture")
	b.work(t, "ann", processed, contract.StatusProcessed, nil)
	before := b.keys(t, "")

	for _, id := range []string{arrived, processed} {
		view := get[Upload](t, b, "bob", "/v1/uploads/"+id, http.StatusOK)
		require.Equal(t, awaitedBy(b, id), view) // as for any id of which bob has sent nothing
		code, _, _ := b.call(t, "bob", http.MethodDelete, "/v1/uploads/"+id, "")
		require.Equal(t, http.StatusNoContent, code) // gives up bob's own claim to that id
		get[problem](t, b, "bob", "/v1/uploads/"+id, http.StatusNotFound)
	}
	require.Empty(t, get[Page](t, b, "bob", "/v1/uploads", http.StatusOK).Uploads)
	require.Equal(t, before, b.keys(t, ""))
	require.Len(t, get[Page](t, b, "ann", "/v1/uploads", http.StatusOK).Uploads, 2)
	require.Equal(t, contract.StatusProcessed, get[Upload](t, b, "ann", "/v1/uploads/"+processed, http.StatusOK).Status)
	// An owner whose name begins like another's is another.
	require.Empty(t, get[Page](t, b, "an", "/v1/uploads", http.StatusOK).Uploads)
}

func awaitedBy(b *bench, id string) Upload {
	made, _ := b.identified(id)
	return b.awaited(id, made)
}

// TestUnavailable: a provider that does not answer is a problem that says so,
// without what it said, and when to come again.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.Objects, o.Records = broken{o.Objects}, brokenRecords{o.Records} })
	id := contract.NewUploadID(time.Now())
	for _, request := range [][2]string{
		{http.MethodGet, "/v1/uploads"},
		{http.MethodGet, "/v1/uploads/" + id},
		{http.MethodGet, "/v1/uploads/" + id + "/events"},
		{http.MethodDelete, "/v1/uploads/" + id},
		{http.MethodPost, "/v1/uploads"},
	} {
		code, header, body := b.call(t, "ann", request[0], request[1], `{"filename":"a","content_type":"image/png","size":1}`)
		require.Equal(t, http.StatusServiceUnavailable, code, "%s %s", request[0], request[1])
		require.Equal(t, "2", header.Get("Retry-After"))
		require.NotContains(t, string(body), "secret")
		require.Contains(t, decode[problem](t, body).Detail, "try again")
	}
}
