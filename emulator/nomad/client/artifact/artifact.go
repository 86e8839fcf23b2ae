// Package artifact downloads the artifacts of tasks: files, folders and
// archives, from the machine or over HTTP. The node calls it before a task
// starts for the first time.
package artifact

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-getter/v2"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/environment"
)

// Fetch downloads an artifact to where it is to be in the directory of a task,
// which it does not leave. Its texts may refer to the environment. The error says
// what to tell people.
func Fetch(ctx context.Context, a *api.TaskArtifact, taskDir string, env environment.Env) error {
	source, err := sourceOf(a, env)
	if err != nil {
		return err
	}
	destination, err := destinationOf(a, taskDir, env)
	if err != nil {
		return fmt.Errorf("failed to download artifact %q: %w", *a.GetterSource, err)
	}
	mode := modeOf(a)
	folder := destination
	if mode == getter.ModeFile {
		folder = filepath.Dir(destination)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("failed to download artifact %q: %w", *a.GetterSource, err)
	}
	if mode == getter.ModeAny && plainFile(source) { // which keeps its name, in the folder
		mode, destination = getter.ModeFile, filepath.Join(destination, nameOf(source))
	}
	client := getter.Client{DisableSymlinks: true, Getters: gettersFor(a, env)}
	request := getter.Request{Src: source, Dst: destination, Pwd: taskDir, GetMode: mode, Copy: true, DisableSymlinks: true}
	if _, err := client.Get(ctx, &request); err != nil {
		return fmt.Errorf("failed to download artifact %q: getter subprocess failed: exit status 1: failed to download artifact: %w",
			*a.GetterSource, err)
	}
	return nil
}

// sourceOf is the source with the options, as go-getter reads it.
func sourceOf(a *api.TaskArtifact, env environment.Env) (string, error) {
	source := env.Interpolate(*a.GetterSource)
	if len(a.GetterOptions) == 0 {
		return source, nil
	}
	forced, rest, found := strings.Cut(source, "::")
	if !found {
		forced, rest = "", source
	}
	u, err := url.Parse(rest)
	if err != nil {
		return "", fmt.Errorf("failed to parse source URL %q: %w", source, err)
	}
	query := u.Query()
	for name, value := range a.GetterOptions {
		query.Add(name, env.Interpolate(value))
	}
	u.RawQuery = query.Encode()
	if found {
		return forced + "::" + u.String(), nil
	}
	return u.String(), nil
}

// destinationOf is where the artifact goes: in the task's directory or in the
// shared one of the allocation.
func destinationOf(a *api.TaskArtifact, taskDir string, env environment.Env) (string, error) {
	destination := "local/"
	if a.RelativeDest != nil && *a.RelativeDest != "" {
		destination = env.InterpolatePath(*a.RelativeDest)
	}
	if !filepath.IsAbs(destination) {
		destination = filepath.Join(taskDir, destination)
	}
	relative, err := filepath.Rel(filepath.Dir(taskDir), destination)
	if err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("artifact destination path escapes the alloc directory")
	}
	return destination, nil
}

func modeOf(a *api.TaskArtifact) getter.Mode {
	if a.GetterMode == nil {
		return getter.ModeAny
	}
	switch *a.GetterMode {
	case "file":
		return getter.ModeFile
	case "dir":
		return getter.ModeDir
	}
	return getter.ModeAny
}

// plainFile reports whether a source is a file of this machine.
func plainFile(source string) bool {
	u, err := url.Parse(source)
	if err != nil || u.Scheme != "" && u.Scheme != "file" || u.Query().Get("archive") != "" {
		return false
	}
	info, err := os.Stat(u.Path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	for extension := range getter.Decompressors {
		if strings.HasSuffix(u.Path, "."+extension) {
			return false
		}
	}
	return true
}

func nameOf(source string) string {
	u, err := url.Parse(source)
	if err != nil {
		return filepath.Base(source)
	}
	return filepath.Base(u.Path)
}

// gettersFor are the ways to download: nothing else is tried.
func gettersFor(a *api.TaskArtifact, env environment.Env) []getter.Getter {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	if a.GetterInsecure != nil && *a.GetterInsecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // as the job asks
	}
	header := http.Header{}
	for name, value := range a.GetterHeaders {
		header.Set(env.Interpolate(name), env.Interpolate(value))
	}
	return []getter.Getter{
		&getter.HttpGetter{
			Client: &http.Client{Transport: transport}, Header: header, XTerraformGetDisabled: true,
		},
		new(getter.FileGetter),
	}
}
