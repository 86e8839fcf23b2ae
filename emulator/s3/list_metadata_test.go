package s3

import (
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// MinIO's extension of the listings tells the metadata, too.
func TestListWithMetadata(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	_, err := e.PutObject(t.Context(), b, "described", strings.NewReader("x"), 1, minio.PutObjectOptions{
		ContentType: "text/x", CacheControl: "no-cache",
		UserMetadata: map[string]string{"Marker": "a<b", "no!element": "left out"},
	})
	require.NoError(t, err)
	for _, o := range []minio.ListObjectsOptions{{WithMetadata: true}, {WithMetadata: true, WithVersions: true}, {WithMetadata: true, Unsorted: true}} {
		for info := range e.ListObjectsIter(t.Context(), b, o) {
			require.NoError(t, info.Err)
			require.Equal(t, minio.StringMap{"content-type": "text/x", "cache-control": "no-cache", "X-Amz-Meta-Marker": "a<b"}, info.UserMetadata, "%+v", o)
			require.Equal(t, 1, info.Internal.K)
		}
	}
	for info := range e.ListObjectsIter(t.Context(), b, minio.ListObjectsOptions{}) {
		require.Empty(t, info.UserMetadata)
		require.Nil(t, info.Internal)
	}
}

// Metadata that no header can hold comes back encoded.
func TestMetadataBeyondASCII(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	require.Equal(t, 200, e.signed(t, http.MethodPut, "/"+b+"/key", []byte("x"), "X-Amz-Meta-Name", "ü").status)
	require.Equal(t, "=?UTF-8?q?=C3=BC?=", e.signed(t, http.MethodHead, "/"+b+"/key", nil).header.Get("X-Amz-Meta-Name"))
}
