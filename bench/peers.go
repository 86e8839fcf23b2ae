package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// imaginary is the HTTP server of that name. It makes one picture a request.
type imaginary struct {
	server  *server
	url     string
	client  *http.Client
	clients int
	set     photographs
	sources [][]byte
}

// imaginaryRequests make the default variants.
var imaginaryRequests = []string{
	"/smartcrop?width=160&height=160&type=webp&quality=80&stripmeta=true",
	"/resize?width=640&type=webp&quality=80&stripmeta=true",
	"/resize?width=1280&type=webp&quality=80&stripmeta=true",
}

// enterImaginary builds the version that pictures/imaginary pins, and starts it.
func enterImaginary(ctx context.Context, b *bench, set photographs) (contender, error) {
	b.say("building imaginary")
	path := b.cached("imaginary")
	if _, err := output(exec.CommandContext(ctx, "go", "build", "-C", b.source("imaginary"), "-o", path, "github.com/h2non/imaginary")); err != nil {
		return nil, err
	}
	i := &imaginary{set: set, clients: b.threads(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.threads()}}}
	for _, path := range set.paths {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		i.sources = append(i.sources, source)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	i.url = "http://127.0.0.1:" + port
	if i.server, err = startServer(ctx, nil, []string{"PORT=" + port}, path, "-a", "127.0.0.1", "-log-level", "error"); err != nil {
		return nil, err
	}
	if err := i.server.await(ctx, i.healthy); err != nil {
		return nil, errors.Join(err, i.server.Close())
	}
	return i, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

func (i *imaginary) healthy() bool {
	answer, err := i.client.Get(i.url + "/health")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Close implements contender.
func (i *imaginary) Close() error { return i.server.Close() }

// round implements contender.
func (i *imaginary) round(ctx context.Context) (measurement, error) {
	pid := i.server.cmd.Process.Pid
	began, before := time.Now(), processorOf(pid)
	next := make(chan []byte)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		for n := range i.set.count() {
			select {
			case next <- i.sources[n%len(i.sources)]:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range i.clients {
		group.Go(func() error {
			for source := range next {
				for _, request := range imaginaryRequests {
					if err := i.make(ctx, request, source); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return measurement{}, err
	}
	return measured(i.set.count(), time.Since(began).Seconds(), processorOf(pid)-before, peakOf(pid)), nil
}

func (i *imaginary) make(ctx context.Context, path string, source []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+path, bytes.NewReader(source))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "image/jpeg")
	answer, err := i.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	made, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !bytes.HasPrefix(made, []byte("RIFF"))) {
		err = fmt.Errorf("imaginary answered %s: %.100s", answer.Status, made)
	}
	return err
}

// enterSharp installs the version that pictures/sharp pins, unless it is there.
func enterSharp(ctx context.Context, b *bench, set photographs) (contender, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	dir := b.cached("sharp")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"package.json", "package-lock.json", "bench.mjs"} {
		data, err := os.ReadFile(b.source(filepath.Join("sharp", name)))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	if err := install(ctx, b, dir); err != nil {
		return nil, err
	}
	const libuv = 4 // threads of its pool: with fewer pictures at once it is slower
	return program{[]string{node, filepath.Join(dir, "bench.mjs")}, max(libuv, b.threads()), set}, nil
}

// install runs `npm ci` unless it has been done for the same lock file.
func install(ctx context.Context, b *bench, dir string) error {
	wanted, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	mark := filepath.Join(dir, "installed.json")
	if installed, err := os.ReadFile(mark); err == nil && bytes.Equal(installed, wanted) {
		return nil
	}
	b.say("installing sharp")
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if _, err := output(npm); err != nil {
		return err
	}
	return os.WriteFile(mark, wanted, 0o644)
}
