package uploads

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

func TestList(t *testing.T) {
	t.Parallel()
	const total = 250
	b := start(t)
	now := time.Now()
	ids := make([]string, total) // newest first
	var group errgroup.Group
	group.SetLimit(16)
	for i := range total {
		group.Go(func() error {
			ids[i], _ = b.drop(t, "ann", now.Add(-time.Duration(i)*time.Second), "picture")
			switch i % 3 {
			case 0:
				b.work(t, "ann", ids[i], contract.StatusProcessed, nil)
			case 1:
				b.work(t, "ann", ids[i], contract.StatusProcessing, nil)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())

	for _, limit := range []int{1, 20, 100} {
		t.Run(fmt.Sprintf("by %d", limit), func(t *testing.T) {
			want := total
			if limit == 1 {
				want = 5 // one by one through all is slow and shows nothing new
			}
			var listed []string
			for next := ""; len(listed) < want; {
				page := get[Page](t, b, "ann", fmt.Sprintf("/v1/uploads?limit=%d&after=%s", limit, next), http.StatusOK)
				require.LessOrEqual(t, len(page.Uploads), limit)
				for _, view := range page.Uploads {
					at := len(listed)
					require.Equal(t, []contract.Status{contract.StatusProcessed, contract.StatusProcessing, contract.StatusWaiting}[at%3], view.Status)
					require.NotEmpty(t, view.Original.URL)
					listed = append(listed, view.ID)
				}
				next = page.Next
				require.Equal(t, len(listed) < total, next != "")
			}
			require.Equal(t, ids[:want], listed)
		})
	}
	t.Run("default", func(t *testing.T) {
		require.Len(t, get[Page](t, b, "ann", "/v1/uploads", http.StatusOK).Uploads, 20)
	})
	t.Run("exactly the last", func(t *testing.T) {
		page := get[Page](t, b, "ann", "/v1/uploads?limit=10&after="+ids[total-11], http.StatusOK)
		require.Len(t, page.Uploads, 10)
		require.Empty(t, page.Next)
	})
	t.Run("after the last", func(t *testing.T) {
		require.Equal(t, Page{Uploads: []Upload{}}, get[Page](t, b, "ann", "/v1/uploads?after="+ids[total-1], http.StatusOK))
	})
	t.Run("after one that is gone", func(t *testing.T) {
		gone := contract.NewUploadID(now.Add(-1500 * time.Millisecond)) // between the second and the third
		require.Equal(t, ids[2], get[Page](t, b, "ann", "/v1/uploads?limit=1&after="+gone, http.StatusOK).Uploads[0].ID)
	})
}

// TestListSkips what was deleted and not removed yet, and what is no upload.
func TestListSkips(t *testing.T) {
	t.Parallel()
	b := start(t)
	now := time.Now()
	var kept []string
	for i := range 6 {
		id, _ := b.drop(t, "ann", now.Add(-time.Duration(i)*time.Second), "picture")
		if i%2 == 0 {
			b.work(t, "ann", id, contract.StatusDeleted, nil)
		} else {
			kept = append(kept, id)
		}
	}
	for _, key := range []string{"incoming/ann/readme.txt", "incoming/ann/zzz/readme.txt"} {
		_, err := b.options.Objects.Put(within(t), key, strings.NewReader("x"), 1, cloud.PutOptions{})
		require.NoError(t, err)
	}
	page := get[Page](t, b, "ann", "/v1/uploads?limit=5", http.StatusOK)
	require.Len(t, page.Uploads, 2)
	require.NotEmpty(t, page.Next)
	last := get[Page](t, b, "ann", "/v1/uploads?limit=5&after="+page.Next, http.StatusOK)
	require.Len(t, last.Uploads, 1)
	require.Empty(t, last.Next)
	require.Equal(t, kept, []string{page.Uploads[0].ID, page.Uploads[1].ID, last.Uploads[0].ID})
}

func TestListRefusals(t *testing.T) {
	t.Parallel()
	b := start(t)
	for query, location := range map[string]string{
		"limit=0":                 "query.limit",
		"limit=101":               "query.limit",
		"limit=-1":                "query.limit",
		"limit=many":              "query.limit",
		"limit=1e1":               "query.limit",
		"after=yesterday":         "query.after",
		"after=..%2F..%2Fbob%2F":  "query.after",
		"after=%00&limit=5":       "query.after",
		"after=" + upperID(t):     "query.after",
		"limit=5&after=%F0%9F%9B": "query.after",
	} {
		said := get[problem](t, b, "ann", "/v1/uploads?"+query, http.StatusUnprocessableEntity)
		require.Len(t, said.Errors, 1, query)
		require.Equal(t, location, said.Errors[0].Location, query)
	}
}

func upperID(t *testing.T) string {
	t.Helper()
	return strings.ToUpper(contract.NewUploadID(time.Now()))
}
