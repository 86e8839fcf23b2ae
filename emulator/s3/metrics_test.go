package s3

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

func (e *endpoint) metrics(t *testing.T, of string) string {
	t.Helper()
	r := e.do(t, e.request(t, "GET", "/minio/v2/metrics/"+of, nil))
	require.Equal(t, 200, r.status)
	return r.body
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	in := &inbox{down: true}
	e, b := notified(t, t.TempDir(), in)
	require.NoError(t, e.EnableVersioning(t.Context(), b))
	require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectCreatedAll)))
	e.put(t, b, "one", "12345")
	e.put(t, b, "one", "123")
	e.put(t, b, "two", "1")
	require.Equal(t, "123", e.read(t, b, "one"))
	require.Equal(t, http.StatusNoContent, e.signed(t, "DELETE", "/"+b+"/two", nil).status)
	require.Equal(t, http.StatusNotFound, e.signed(t, "GET", "/"+b+"/none", nil).status)
	require.Equal(t, 200, e.signed(t, "PUT", "/"+b+"/copy", nil, "X-Amz-Copy-Source", b+"/one").status)
	require.Equal(t, 501, e.signed(t, "GET", "/"+b+"?bogus", nil).status)

	cluster := e.metrics(t, "cluster")
	for _, want := range []string{
		`minio_s3_requests_total{api="putobject",code="200"} 3`,
		`minio_s3_requests_total{api="copyobject",code="200"} 1`,
		`minio_s3_requests_total{api="getobject",code="404"} 1`,
		`minio_s3_requests_total{api="unknown",code="501"} 1`,
		`minio_s3_requests_4xx_errors_total{api="getobject"} 1`,
		`minio_s3_requests_5xx_errors_total{api="unknown"} 1`,
		`minio_s3_requests_ttfb_seconds_distribution_count{api="putobject"} 3`,
		"minio_s3_requests_inflight_total 0",
		"minio_cluster_bucket_total 1", "minio_cluster_usage_object_total 2", "minio_cluster_usage_version_total 5",
		"minio_cluster_usage_deletemarker_total 1", fmt.Sprintf("minio_cluster_usage_total_bytes %d", 5+3+1+3),
		`minio_notify_target_total_events{target_id="PRIMARY",target_name="nats"} 0`,
	} {
		require.Contains(t, cluster, want)
	}
	require.NotContains(t, cluster, "minio_s3_traffic_received_bytes 0")
	require.NotContains(t, cluster, "minio_s3_traffic_sent_bytes 0")
	require.Contains(t, e.metrics(t, "bucket"), `minio_bucket_usage_object_total{bucket="uploads"} 2`)
	require.Contains(t, e.metrics(t, "node"), "minio_process_cpu_seconds_total")
	eventually(t, func() bool { return in.attempts() > 1 }, "attempts")
	require.NotContains(t, e.metrics(t, "cluster"), `minio_notify_target_failed_events{target_id="PRIMARY",target_name="nats"} 0`)
	in.set(false)
	eventually(t, func() bool { return len(in.got()) == 4 }, "the events")
	eventually(t, func() bool {
		return strings.Contains(e.metrics(t, "cluster"), `minio_notify_target_total_events{target_id="PRIMARY",target_name="nats"} 4`)
	}, "the events are counted")
	require.Contains(t, e.metrics(t, "cluster"), `minio_notify_target_queue_length{target_id="PRIMARY",target_name="nats"} 0`)
}
