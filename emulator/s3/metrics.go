package s3

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// measures are what an endpoint measures, by MinIO's names and paths.
type measures struct {
	requests, clientErrors, serverErrors *prometheus.CounterVec
	received, sent                       prometheus.Counter
	inflight                             prometheus.Gauge
	ttfb                                 *prometheus.HistogramVec
	pages                                map[string]http.Handler // by path
	apis                                 map[routeKey]string
}

func newMeasures(s *Server) *measures {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &measures{
		requests:     counter("minio_s3_requests_total", "Requests by API and HTTP status.", "api", "code"),
		clientErrors: counter("minio_s3_requests_4xx_errors_total", "Requests that the client got wrong, by API.", "api"),
		serverErrors: counter("minio_s3_requests_5xx_errors_total", "Requests that the server failed, by API.", "api"),
		received:     prometheus.NewCounter(prometheus.CounterOpts{Name: "minio_s3_traffic_received_bytes", Help: "Bytes of request bodies."}),
		sent:         prometheus.NewCounter(prometheus.CounterOpts{Name: "minio_s3_traffic_sent_bytes", Help: "Bytes of response bodies."}),
		inflight:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "minio_s3_requests_inflight_total", Help: "Requests under way."}),
		ttfb: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "minio_s3_requests_ttfb_seconds_distribution", Help: "Time to the first byte of the answer, by API.",
			Buckets: []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"api"}),
		apis: apiNames(),
	}
	requests, cluster, node, buckets := prometheus.NewRegistry(), prometheus.NewRegistry(), prometheus.NewRegistry(), prometheus.NewRegistry()
	requests.MustRegister(m.requests, m.clientErrors, m.serverErrors, m.received, m.sent, m.inflight, m.ttfb, outboxCollector{s})
	cluster.MustRegister(usageCollector{srv: s})
	node.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{Namespace: "minio"}), collectors.NewGoCollector())
	buckets.MustRegister(usageCollector{srv: s, each: true})
	page := func(from ...prometheus.Gatherer) http.Handler {
		return promhttp.HandlerFor(prometheus.Gatherers(from), promhttp.HandlerOpts{})
	}
	m.pages = map[string]http.Handler{
		"/minio/v2/metrics/cluster": page(requests, cluster),
		"/minio/v2/metrics/node":    page(requests, node),
		"/minio/v2/metrics/bucket":  page(buckets),
	}
	return m
}

// apiNames are MinIO's: its own names in lower case, some of which are not S3's.
func apiNames() map[routeKey]string {
	minio := map[string]string{
		"createbucket": "putbucket", "listobjects": "listobjectsv1", "deleteobjects": "deletemultipleobjects",
		"postobject": "postpolicybucket", "createmultipartupload": "newmultipartupload", "listparts": "listobjectparts",
		"uploadpart": "putobjectpart",
	}
	names := map[routeKey]string{}
	for _, o := range operations() {
		name, _, _ := strings.Cut(strings.ToLower(o.name), ",")
		name = strings.TrimSuffix(name, "configuration")
		if m, ok := minio[name]; ok {
			name = m
		}
		names[o.routeKey] = name
	}
	return names
}

// api is the name of the request's route; copies have names of their own.
func (q *request) api() string {
	name, ok := q.srv.measures.apis[q.op]
	switch {
	case !ok:
		return "unknown"
	case q.r.Header.Get("X-Amz-Copy-Source") == "":
		return name
	case name == "putobject":
		return "copyobject"
	case name == "putobjectpart":
		return "copyobjectpart"
	}
	return name
}

// meter sees what goes through one request.
type meter struct {
	http.ResponseWriter
	body           io.ReadCloser
	began, first   time.Time
	status         int
	received, sent int64
}

// measure has a request measured. The returned function is to be called at its end.
func (q *request) measure() (done func()) {
	m := &meter{ResponseWriter: q.w, body: q.r.Body, began: time.Now()}
	q.w, q.r.Body = m, meteredBody{m}
	all := q.srv.measures
	all.inflight.Inc()
	return func() {
		all.inflight.Dec()
		api := q.api()
		if m.status == 0 {
			m.status = http.StatusOK
		}
		all.requests.WithLabelValues(api, strconv.Itoa(m.status)).Inc()
		switch {
		case m.status >= http.StatusInternalServerError:
			all.serverErrors.WithLabelValues(api).Inc()
		case m.status >= http.StatusBadRequest:
			all.clientErrors.WithLabelValues(api).Inc()
		}
		all.received.Add(float64(m.received))
		all.sent.Add(float64(m.sent))
		if !m.first.IsZero() {
			all.ttfb.WithLabelValues(api).Observe(m.first.Sub(m.began).Seconds())
		}
	}
}

func (m *meter) WriteHeader(status int) {
	if m.first.IsZero() {
		m.first, m.status = time.Now(), status
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.ResponseWriter.Write(b)
	m.sent += int64(n)
	return n, err
}

// ReadFrom keeps the way within the kernel that a file has to a connection.
func (m *meter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(m.ResponseWriter, r)
	m.sent += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (m *meter) Unwrap() http.ResponseWriter { return m.ResponseWriter }

type meteredBody struct{ m *meter }

func (b meteredBody) Read(p []byte) (int, error) {
	n, err := b.m.body.Read(p)
	b.m.received += int64(n)
	return n, err
}

func (b meteredBody) Close() error { return b.m.body.Close() }

// usageCollector counts what is stored, at the time it is asked.
type usageCollector struct {
	srv  *Server
	each bool // of each bucket, else of all together
}

type usage struct{ objects, versions, markers, bytes float64 }

func (c usageCollector) Describe(chan<- *prometheus.Desc) {} // unchecked: the buckets come and go

func (c usageCollector) Collect(out chan<- prometheus.Metric) {
	var all usage
	bs := c.srv.st.allBuckets()
	for _, b := range bs {
		u := b.usage()
		if c.each {
			u.send(out, "minio_bucket_usage_", b.name)
		}
		all.objects, all.versions, all.markers, all.bytes = all.objects+u.objects, all.versions+u.versions, all.markers+u.markers, all.bytes+u.bytes
	}
	if !c.each {
		all.send(out, "minio_cluster_usage_")
		gauge(out, "minio_cluster_bucket_total", "Buckets.", float64(len(bs)), nil)
	}
}

func (u usage) send(out chan<- prometheus.Metric, prefix string, bucket ...string) {
	var labels []string
	if len(bucket) > 0 {
		labels = []string{"bucket"}
	}
	gauge(out, prefix+"object_total", "Objects.", u.objects, labels, bucket...)
	gauge(out, prefix+"version_total", "Versions, delete markers among them.", u.versions, labels, bucket...)
	gauge(out, prefix+"deletemarker_total", "Delete markers.", u.markers, labels, bucket...)
	gauge(out, prefix+"total_bytes", "Bytes of all versions.", u.bytes, labels, bucket...)
}

func gauge(out chan<- prometheus.Metric, name, help string, v float64, labels []string, values ...string) {
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue, v, values...)
}

func (b *bucket) usage() usage {
	var u usage
	count := func(e *entry) {
		u.versions++
		u.bytes += float64(e.size)
		if e.marker {
			u.markers++
		}
	}
	for after, more := "", true; more; {
		after, more = b.index.each(after, scanKeys, func(it item) {
			if !it.marker {
				u.objects++
			}
			count(&it.entry)
			for i := range it.older {
				count(it.older[i])
			}
		})
	}
	return u
}

// outboxCollector tells how the events are on their way.
type outboxCollector struct{ srv *Server }

func (c outboxCollector) Describe(chan<- *prometheus.Desc) {}

func (c outboxCollector) Collect(out chan<- prometheus.Metric) {
	labels := []string{"target_id", "target_name"}
	for arn, lanes := range c.srv.outbox.lanes {
		parts := append(strings.Split(arn, ":"), "", "", "", "", "", "")
		id, kind := parts[4], parts[5]
		waiting, t := 0, c.srv.outbox.tallies[arn]
		for _, l := range lanes {
			waiting += l.waiting()
		}
		counter := func(name, help string, v int64) {
			out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue, float64(v), id, kind)
		}
		gauge(out, "minio_notify_target_queue_length", "Events that wait for the destination.", float64(waiting), labels, id, kind)
		counter("minio_notify_target_total_events", "Events that the destination has accepted.", t.accepted.Load())
		counter("minio_notify_target_failed_events", "Attempts that the destination has not accepted; they are repeated.", t.failed.Load())
		counter("minio_notify_events_skipped_total", "Events of reads that were dropped for want of room.", t.dropped.Load())
	}
}
