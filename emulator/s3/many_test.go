package s3

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

// TestManyEndpoints has a hundred endpoints at work in one process. It runs
// alone: it counts the files that the process has open.
func TestManyEndpoints(t *testing.T) {
	const endpoints = 100
	before, files := runtime.NumGoroutine(), openFiles(t)
	t.Run("all", func(t *testing.T) {
		inboxes := map[string]*inbox{}
		var all []*endpoint
		for i := range endpoints {
			in := &inbox{}
			e, b := bucketed(t, Options{Notifiers: map[string]Notifier{testARN: in}})
			require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectCreatedAll)))
			e.put(t, b, "key", fmt.Sprint(i))
			inboxes[e.url] = in
			all = append(all, e)
		}
		for i, e := range all {
			require.Equal(t, fmt.Sprint(i), e.read(t, "uploads", "key"), "each has its own")
			id, err := e.core.NewMultipartUpload(t.Context(), "uploads", "unfinished", minio.PutObjectOptions{})
			require.NoError(t, err)
			_, err = e.core.PutObjectPart(t.Context(), "uploads", "unfinished", id, 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{})
			require.NoError(t, err)
			eventually(t, func() bool { return len(inboxes[e.url].got()) == 1 }, "each tells its own events")
		}
	})
	eventually(t, func() bool { return runtime.NumGoroutine() <= before && openFiles(t) <= files }, "nothing is left")
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		names, err = os.ReadDir("/dev/fd") // other systems than Linux
	}
	require.NoError(t, err)
	return len(names)
}
