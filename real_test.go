package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// realPath has agents that only have a version on the PATH.
func realPath(t *testing.T) func(string) string {
	t.Helper()
	dir := t.TempDir()
	for name, version := range map[string]string{"consul": "Consul v1.22.3", "nomad": "Nomad v1.11.3"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho "+version+"\n"), 0o755))
	}
	return func(name string) string {
		if name == "PATH" {
			return dir
		}
		return ""
	}
}

func TestRealRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--port", "uploads"}, "--port uploads gives no value: it takes one as uploads=8080"},
		{[]string{"--port", "uploads=http"}, "--port uploads=http is not a port: it takes a number from 0 to 65535"},
		{[]string{"--port", "uplaods=80"}, `a port is given for "uplaods", which is none of alerts, `},
		{[]string{"--port", "nomad=" + taken}, "stop it, or choose another port with --port nomad=0, or for all with --free-ports"},
		{[]string{"--var", "count"}, "--var count gives no value"},
		{[]string{"--var", "cuont=2"}, `the variable "cuont" is given, which no job file declares`},
		{[]string{"--driver", "podman"}, `driver`},
		{[]string{"--jobs", "/no/such/folder"}, "--jobs /no/such/folder: there is no such folder"},
		{nil, "not on the PATH: "}, // what tasks run
		{[]string{"rest"}, `unknown command "rest"`},
	} {
		dir := t.TempDir()
		args := append([]string{"real", "up", "--free-ports", "--dir", dir}, test.args...)
		err := run(context.Background(), args, realPath(t), io.Discard, io.Discard)
		require.ErrorContains(t, err, test.says, "%v", args)
		assert.NoFileExists(t, filepath.Join(dir, "stack.json"))
	}
}

func TestThereIsNoRealStack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	var out bytes.Buffer
	err := run(context.Background(), []string{"real", "status", "--dir", dir}, realPath(t), &out, io.Discard)
	require.ErrorContains(t, err, "no real stack runs in "+dir+": `")
	for range 2 {
		require.NoError(t, run(context.Background(), []string{"real", "down", "--dir", dir}, realPath(t), &out, io.Discard))
	}
	require.NoError(t, run(context.Background(), []string{"real", "down", "--purge", "--dir", dir}, realPath(t), &out, io.Discard))
	assert.Contains(t, out.String(), "There is nothing to stop: no real stack runs in "+dir+".")
}
