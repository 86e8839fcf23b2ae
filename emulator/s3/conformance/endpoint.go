package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/drydock/drydock/emulator/s3"
)

const (
	accessKey = "drydock"
	secretKey = "drydock-secret"
)

// endpoint is a server under test: where it listens, and what ends it.
type endpoint struct {
	address string
	stop    func() error
}

// startEmulator serves the emulator on a free port, with its data in a folder
// of its own.
func startEmulator() (_ *endpoint, err error) {
	dir, err := os.MkdirTemp("", "drydock-s3-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	store, err := s3.Open(s3.Options{
		Dir: dir, Keys: map[string]s3.Key{accessKey: {Secret: secretKey}}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	server := &http.Server{Handler: store, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return &endpoint{listener.Addr().String(), func() error {
		err := server.Close()
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return errors.Join(err, store.Close(), os.RemoveAll(dir))
	}}, nil
}

// startMinIO starts the real program, and waits until it is ready.
func startMinIO(ctx context.Context, program string) (_ *endpoint, err error) {
	dir, err := os.MkdirTemp("", "drydock-minio-")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") // MinIO cannot tell which port it picked
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	address := listener.Addr().String()
	server := exec.Command(program, "server", dir, "--address", address, "--console-address", "127.0.0.1:0")
	server.Env = append(os.Environ(), "MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "CI=true")
	if err := errors.Join(listener.Close(), server.Start()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	e := &endpoint{address, func() error {
		err := server.Process.Kill()
		server.Wait() // reports the kill
		return errors.Join(err, os.RemoveAll(dir))
	}}
	if err := awaitReady(ctx, address); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

// awaitReady asks MinIO for its buckets until it answers: a little longer than
// it takes to call itself ready.
func awaitReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	transport := &http.Transport{DisableKeepAlives: true}
	client, err := minio.New(address, &minio.Options{
		Creds: credentials.NewStaticV4(accessKey, secretKey, ""), Transport: transport, MaxRetries: 1,
	})
	if err != nil {
		return err
	}
	for {
		_, err := client.ListBuckets(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for MinIO at %s: %w", address, errors.Join(ctx.Err(), err))
		}
	}
}
