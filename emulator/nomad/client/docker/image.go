package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

const (
	// pullTimeout is how long a pull may take unless the job says otherwise.
	pullTimeout = 5 * time.Minute
	// progressInterval is the time between two events about a pull.
	progressInterval = 10 * time.Second
)

// prepareImage sees to it that the engine has the image, and returns its ID.
func (d *Driver) prepareImage(ctx context.Context, task driver.Task, c *config) (id string, err error) {
	if c.Load != "" {
		if err := d.load(ctx, task, c.Load); err != nil {
			return "", err
		}
		return d.imageID(ctx, c.Image)
	}
	repository, tag := splitImage(c.Image)
	if !c.ForcePull && tag != "latest" {
		if id, err := d.imageID(ctx, c.Image); !isStatus(err, statusNotFound) {
			return id, err
		}
	}
	task.Emit("Downloading image", map[string]string{"image": c.Image})
	if err := d.pull(ctx, task, c, repository, tag); err != nil {
		return "", worded("Failed to pull `%s`: %w", c.Image, err)
	}
	return d.imageID(ctx, c.Image)
}

func (d *Driver) imageID(ctx context.Context, image string) (string, error) {
	var found struct{ ID string }
	err := d.engine.get(ctx, "/images/"+image+"/json", &found)
	return found.ID, err
}

// splitImage takes the tag off; none is latest, and a digest stays.
func splitImage(image string) (repository, tag string) {
	if strings.Contains(image, "@") {
		return image, ""
	}
	if colon := strings.LastIndexByte(image, ':'); colon > strings.LastIndexByte(image, '/') {
		return image[:colon], image[colon+1:]
	}
	return image, "latest"
}

// load gives the engine an archive of the task's local folder.
func (d *Driver) load(ctx context.Context, task driver.Task, name string) error {
	root, err := os.OpenRoot(task.Dir.Local())
	if err != nil {
		return fmt.Errorf("unable to open image archive: %w", err)
	}
	defer root.Close()
	archive, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("unable to open image archive: %w", err)
	}
	defer archive.Close()
	response, err := d.engine.send(ctx, http.MethodPost, "/images/load", http.Header{"Content-Type": {"application/x-tar"}}, archive)
	if err != nil {
		return fmt.Errorf("unable to load image archive: %w", err)
	}
	defer response.Body.Close()
	return read(response.Body, func(progress) {})
}

// pull has the engine fetch an image, and tells how far it is.
func (d *Driver) pull(ctx context.Context, task driver.Task, c *config, repository, tag string) error {
	timeout := pullTimeout
	if c.ImagePullTimeout != "" {
		var err error
		if timeout, err = time.ParseDuration(c.ImagePullTimeout); err != nil {
			return fmt.Errorf("image_pull_timeout: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	header := http.Header{}
	if c.Auth != nil {
		text, err := json.Marshal(map[string]string{
			"username": c.Auth.Username, "password": c.Auth.Password, "email": c.Auth.Email, "serveraddress": c.Auth.ServerAddress,
		})
		if err != nil {
			return err
		}
		header.Set("X-Registry-Auth", base64.URLEncoding.EncodeToString(text))
	}
	query := url.Values{"fromImage": {repository}, "tag": {tag}}
	response, err := d.engine.send(ctx, http.MethodPost, "/images/create?"+query.Encode(), header, nil)
	if err != nil && c.Auth != nil && c.AuthSoftFail {
		response, err = d.engine.send(ctx, http.MethodPost, "/images/create?"+query.Encode(), nil, nil)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	summary := pulling{layers: map[string]progress{}, told: time.Now()}
	return read(response.Body, func(p progress) {
		summary.add(p)
		if time.Since(summary.told) >= progressInterval {
			summary.told = time.Now()
			task.Emit("Docker image pull progress: "+summary.String(), map[string]string{"image": c.Image})
		}
	})
}

// progress is a line of what the engine says of a pull.
type progress struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Error    string `json:"error"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
}

// read reads what the engine says until it is done or has failed.
func read(from io.Reader, each func(progress)) error {
	decoder := json.NewDecoder(from)
	for {
		var p progress
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case p.Error != "":
			return errors.New(p.Error)
		}
		each(p)
	}
}

// pulling is how far a pull is.
type pulling struct {
	layers map[string]progress
	told   time.Time
}

func (p *pulling) add(line progress) {
	if line.ID != "" {
		p.layers[line.ID] = line
	}
}

// String counts the layers that are there, and the bytes of those that come.
func (p *pulling) String() string {
	var complete int
	var current, total int64
	for _, layer := range p.layers {
		if layer.Status == "Pull complete" || layer.Status == "Already exists" {
			complete++
		}
		current += layer.Progress.Current
		total += layer.Progress.Total
	}
	return fmt.Sprintf("%d/%d layers, %d/%d bytes", complete, len(p.layers), current, total)
}
