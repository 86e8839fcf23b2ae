package s3

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// Options configure a Server. Dir and Keys are required.
type Options struct {
	// Dir is the data folder, made when absent. One Server at a time can have it.
	Dir string
	// Keys are those of the configuration, by access key. One that may do
	// everything, or administrate, can have the server keep others.
	Keys map[string]Key
	// Region is what clients must sign for. Default: "us-east-1", and clients
	// may sign for any, as with MinIO.
	Region string
	// Notifiers are the destinations of bucket events by ARN, such as
	// "arn:minio:sqs::PRIMARY:nats".
	Notifiers map[string]Notifier
	// CORSOrigins may call from a browser any bucket that has no CORS rules of
	// its own. Each may hold one "*". Default: every origin.
	CORSOrigins []string
	// BodyTimeout is how long a client may take for each 16 KiB of a request
	// body, or for the rest of it. Default 30 s.
	BodyTimeout time.Duration
	// SendTimeout is how long a client may take for each 4 MiB of an object
	// that it reads. Default 2 minutes.
	SendTimeout time.Duration
	// NoSync leaves out every fsync: for tests. A crash of the process still
	// loses nothing, a crash of the machine may.
	NoSync bool
	// Logger gets what no client can be told. Default slog.Default().
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Server answers the S3 API for one folder. It is an http.Handler, safe for
// concurrent use. The http.Server around it bounds headers and idle connections;
// Server itself bounds bodies.
type Server struct {
	opts       Options
	anyRegion  bool
	log        *slog.Logger
	now        func() time.Time
	st         *store
	keys       *keyring
	outbox     *outbox
	hub        *hub
	scanner    *scanner
	measures   *measures
	routes     map[routeKey]route
	absent     map[routeKey]operation
	deployment string
	lastSeq    atomic.Int64
	requests   atomic.Uint64
	prefix     string // of the request ids of this run
	closing    atomic.Bool
	closeOnce  sync.Once
	closeErr   error
}

// Open locks o.Dir, recovers what is in it, starts to deliver the events that
// are still pending, and returns a Server ready to serve. It fails with ErrInUse
// when another Server has the folder. A failed Open leaves nothing running.
func Open(o Options) (*Server, error) {
	if o.Dir == "" {
		return nil, errors.New("s3: Dir is empty")
	}
	if len(o.Keys) == 0 {
		return nil, errors.New("s3: Keys is empty")
	}
	o.Keys, o.Notifiers = maps.Clone(o.Keys), maps.Clone(o.Notifiers)
	anyRegion := o.Region == ""
	if anyRegion {
		o.Region = "us-east-1"
	}
	if len(o.CORSOrigins) == 0 {
		o.CORSOrigins = []string{"*"}
	}
	if o.BodyTimeout <= 0 {
		o.BodyTimeout = 30 * time.Second
	}
	if o.SendTimeout <= 0 {
		o.SendTimeout = 2 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	st, pending, err := openStore(o.Dir, !o.NoSync, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("open s3 folder %s: %w", o.Dir, err)
	}
	id, err := st.deploymentID()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open s3 folder %s: %w", o.Dir, err), st.close())
	}
	ring, err := openKeyring(st, o.Keys)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open s3 folder %s: %w", o.Dir, err), st.close())
	}
	run := make([]byte, 4)
	_, _ = rand.Read(run)
	s := &Server{
		opts: o, anyRegion: anyRegion, log: o.Logger, now: o.Now, st: st, keys: ring, deployment: id,
		routes: routes(), absent: absent(routes()), prefix: hex.EncodeToString(run),
		outbox: startOutbox(o.Notifiers, o.Logger), hub: newHub(),
	}
	for _, p := range pending {
		s.outbox.enqueue(p.record, p.place, func(i int) bool { return p.acked[ackKey{p.off, i}] })
	}
	st.enqueue = func(r *record, p place) { s.outbox.enqueue(r, p, nil) }
	s.measures = newMeasures(s)
	s.scanner = startScanner(s)
	return s, nil
}

// Close refuses further requests, waits for the commits under way, stops the
// delivery of events and releases the folder. Undelivered events stay on the
// disk for the next Open. It may be called again and returns the same.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.closing.Store(true)
		s.EndListening()
		s.scanner.stop()
		s.outbox.stop()
		if err := s.st.close(); err != nil {
			s.closeErr = fmt.Errorf("close s3 folder: %w", err)
		}
	})
	return s.closeErr
}

// CreateBucket makes a bucket unless it exists already.
func (s *Server) CreateBucket(name string) error {
	if !validBucketName(name) {
		return errInvalidBucketName
	}
	if err := s.st.createBucket(name, s.now().UTC(), false); err != nil && !errors.Is(err, errBucketOwned) {
		return err
	}
	return nil
}

// SetNotification replaces the notification rules of a bucket, with the same
// checks as PutBucketNotificationConfiguration.
func (s *Server) SetNotification(bucket string, c notification.Configuration) error {
	b, err := s.st.bucket(bucket)
	if err != nil {
		return err
	}
	return s.setNotification(b, c)
}

func validBucketName(name string) bool {
	return name != "minio" && s3utils.CheckValidBucketNameStrict(name) == nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := s.newRequest(w, r)
	h := w.Header()
	h.Set("X-Amz-Request-Id", q.id)
	h.Set("X-Amz-Id-2", s.deployment)
	h.Set("X-Content-Type-Options", "nosniff")
	switch r.URL.Path {
	case "/minio/health/live", "/minio/health/ready", "/minio/health/cluster":
		q.health()
		return
	}
	if page, ok := s.measures.pages[r.URL.Path]; ok {
		page.ServeHTTP(w, r)
		return
	}
	defer q.measure()()
	if err := q.serve(); err != nil {
		q.writeError(err)
	} else {
		q.news.tell()
	}
	q.endBody()
}

func (q *request) health() {
	if q.srv.closing.Load() {
		q.w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	q.w.WriteHeader(http.StatusOK)
}

// newRequestID is unique within the folder.
func (s *Server) newRequestID() string {
	return fmt.Sprintf("%s%08X", s.prefix, s.requests.Add(1))
}

// origin is this endpoint as the client names it.
func (q *request) origin() string {
	if q.r.TLS != nil {
		return "https://" + q.r.Host
	}
	return "http://" + q.r.Host
}
