package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	s3Poll   = time.Millisecond // until the first answer
	s3Bucket = "/bench"
	s3Key    = "benchbench"
	s3Secret = "benchbenchbench"
)

// s3Endpoint is a program that is an S3 endpoint.
type s3Endpoint struct {
	name    string
	program string
	folder  string
	args    func(*s3Endpoint) []string

	address string
	running *server
}

// start returns once the endpoint answers a signed request.
func (e *s3Endpoint) start(ctx context.Context) error {
	if err := os.MkdirAll(e.folder, 0o700); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	e.address = net.JoinHostPort("127.0.0.1", port)
	environment := []string{
		"MINIO_ROOT_USER=" + s3Key, "MINIO_ROOT_PASSWORD=" + s3Secret, "MINIO_BROWSER=off", "MINIO_UPDATE=off",
		"AWS_ACCESS_KEY_ID=" + s3Key, "AWS_SECRET_ACCESS_KEY=" + s3Secret,
		"ROOT_ACCESS_KEY=" + s3Key, "ROOT_SECRET_KEY=" + s3Secret,
	}
	if e.running, err = startServer(ctx, nil, environment, e.program, e.args(e)...); err != nil {
		return err
	}
	return e.running.awaitEvery(ctx, s3Poll, func() bool { return e.ask(ctx, http.MethodGet, "/") == nil })
}

// ask sends one signed request.
func (e *s3Endpoint) ask(ctx context.Context, method, path string) error {
	c, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	_, err = c.do(e.sign(method, path, "", nil), nil)
	return err
}

func (e *s3Endpoint) stop() error { return e.running.Close() }

// startOnce measures one start on a fresh folder.
func (e *s3Endpoint) startOnce(ctx context.Context) (float64, error) {
	once := &s3Endpoint{name: e.name, program: e.program, args: e.args, folder: e.folder + ".start"}
	defer os.RemoveAll(once.folder)
	began := time.Now()
	if err := once.start(ctx); err != nil {
		return 0, err
	}
	took := milliseconds(time.Since(began))
	return took, once.stop()
}

// idle is the memory that is held once nothing happens any more.
func (e *s3Endpoint) idle(ctx context.Context) (float64, error) {
	pid := e.running.cmd.Process.Pid
	if err := untilIdle(ctx, pid); err != nil {
		return 0, err
	}
	return residentOf(pid), nil
}

// peak is the most memory held since it was last asked for.
func (e *s3Endpoint) peak(context.Context) (float64, error) {
	return peakOf(e.running.cmd.Process.Pid), nil
}

// forgetPeak starts to measure the peak anew: proc_pid_clear_refs(5).
func (e *s3Endpoint) forgetPeak() error {
	file := filepath.Join("/proc", fmt.Sprint(e.running.cmd.Process.Pid), "clear_refs")
	return os.WriteFile(file, []byte("5"), 0o600)
}
