package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/api/uploads"
	"github.com/drydock/drydock/cloud"
	cloudnats "github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
)

func TestFailureTheImagesWorkerIsKilled(t *testing.T) {
	t.Parallel()
	before := originals(t)
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	accepted := o.amid(t, 3, func(*rand.Rand) {
		killed := stack.PIDs("images")
		sendSignal(t, stack, "images", syscall.SIGKILL)
		await(t, func(context.Context) error {
			if now := stack.PIDs("images"); len(now) == 0 || now[0] == killed[0] {
				return errors.New("the scheduler has not started the worker again")
			}
			return nil
		})
	})
	o.requireEachOnce(t, accepted)
	await(t, func(context.Context) error { // those of other tests come and go
		if left := slices.DeleteFunc(originals(t), func(file string) bool { return slices.Contains(before, file) }); len(left) > 0 {
			return fmt.Errorf("left behind: %s", left)
		}
		return nil
	})
}

// originals are the files and folders that images workers have in the system's temporary folder.
func originals(t *testing.T) (found []string) {
	t.Helper()
	for _, pattern := range []string{"original-*", "drydock-images-*"} {
		files, err := filepath.Glob(filepath.Join(os.TempDir(), pattern))
		require.NoError(t, err)
		found = append(found, files...)
	}
	return found
}

func TestFailureTheAPIIsKilled(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	accepted := o.amid(t, 3, func(*rand.Rand) { sendSignal(t, stack, "uploads", syscall.SIGKILL) })
	o.requireEachOnce(t, accepted)
	for _, id := range accepted {
		assert.Equal(t, contract.StatusProcessed, o.get(t, id).Status)
	}
}

func TestFailureTheBusRestarts(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	var without []string
	accepted := o.amid(t, 3, func(*rand.Rand) {
		require.NoError(t, stack.RestartNATS(func() {
			ids, err := o.sendAll(t.Context(), smallPictures(t)[:4])
			assert.NoError(t, err)
			without = append(without, ids...)
		}))
	})
	o.requireEachOnce(t, append(accepted, without...))
}

func TestFailureTheObjectStoreRestarts(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	accepted := o.amid(t, 3, func(chance *rand.Rand) {
		require.NoError(t, stack.RestartS3(func() { <-atRandom(chance) }))
	})
	o.requireEachOnce(t, accepted)
}

func TestFailureADeletionMeetsADyingWorker(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	id := o.holdInProcess(t, stack)
	require.NoError(t, do(t.Context(), http.MethodDelete, o.api+"/v1/uploads/"+id, nil, nil, nil))
	// The worker stores a variant after the deletion has looked for them, and is killed.
	_, err := o.objects.Put(t.Context(), contract.VariantKey(demoOwner, id, "thumb", ".webp"), strings.NewReader("late"), 4, cloud.PutOptions{})
	require.NoError(t, err)
	sendSignal(t, stack, "images", syscall.SIGKILL)
	o.requireDeleted(t, id)
}

func TestFailureNotificationsAreLost(t *testing.T) {
	t.Parallel()
	stack := startStack(t, emulator.Options{})
	o := lookAt(t, stack)
	store, err := minio.New(strings.TrimPrefix(stack.S3URL(), "http://"), &minio.Options{Creds: rootKeys(t, stack.KeysFile())})
	require.NoError(t, err)
	require.NoError(t, store.RemoveAllBucketNotification(t.Context(), emulator.Bucket))
	accepted, err := o.sendAll(t.Context(), slices.Concat(smallPictures(t), smallPictures(t), largePictures(t)))
	require.NoError(t, err)
	require.Zero(t, o.deliveries(t), "no notification may have come")

	bus, err := cloudnats.OpenBus(t.Context(), stack.NATSURL())
	require.NoError(t, err)
	defer bus.Close()
	// Shorter than the work takes, so that the sweep announces what is under way, too.
	service := uploads.New(uploads.Options{
		Objects: o.objects, Records: o.records, Bus: bus, Logger: slog.New(slog.DiscardHandler),
		SweepEvery: 100 * time.Millisecond, SweepGrace: 200 * time.Millisecond,
	})
	ctx, stop := context.WithCancel(t.Context())
	var sweeping sync.WaitGroup
	sweeping.Go(func() { assert.NoError(t, service.Run(ctx)) })
	defer sweeping.Wait()
	defer stop()
	o.requireEachOnce(t, accepted)
	for _, id := range accepted {
		assert.Equal(t, contract.StatusProcessed, o.get(t, id).Status)
	}
}

func TestFailureTwoWorkersGetTheSameNotification(t *testing.T) {
	t.Parallel()
	stack := startTwoWorkers(t)
	o := lookAt(t, stack)
	require.Len(t, stack.PIDs("images"), 2)
	pictures := slices.Concat(smallPictures(t), smallPictures(t), largePictures(t)[:4])
	var group errgroup.Group
	group.SetLimit(4)
	for _, p := range pictures {
		o.known[p.name] = p
		group.Go(func() error {
			key := contract.IncomingKey(demoOwner, contract.NewUploadID(time.Now()), p.name)
			object, err := o.objects.Put(t.Context(), key, bytes.NewReader(p.data), int64(len(p.data)), cloud.PutOptions{ContentType: p.kind})
			if err == nil {
				publishCreated(t, stack.Bus, "again/"+key, object)
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	o.requireEachOnce(t, nil)
	assert.Len(t, o.list(t, contract.Incoming), len(pictures))
	total := 0
	for _, allocation := range stack.Allocations() {
		if allocation.JobID == "images" {
			done := deliveriesDone(t, "http://"+allocation.Ports["http"])
			assert.Positive(t, done, "%s had nothing to do", allocation.Name)
			total += done
		}
	}
	assert.GreaterOrEqual(t, total, 2*len(pictures), "every notification came twice")
}

// startTwoWorkers starts a stack whose job of the images worker has two instances.
func startTwoWorkers(t *testing.T) *emulator.Stack {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"images.nomad.hcl", "uploads.nomad.hcl"} {
		text, err := fs.ReadFile(jobs.Files, name)
		require.NoError(t, err)
		if name == "images.nomad.hcl" {
			two := regexp.MustCompile(`(variable "count" \{[^}]*default *= )1\b`).ReplaceAll(text, []byte("${1}2"))
			require.NotEqual(t, text, two)
			text = two
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	stack, err := emulator.Start(ctx, emulator.Options{Jobs: files, Path: []string{programs(t)}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack
}

// deliveriesDone reads from a worker's metrics how many it has acknowledged.
func deliveriesDone(t *testing.T, address string) int {
	t.Helper()
	found := regexp.MustCompile(`drydock_delivery_seconds_count\{consumer="images",outcome="done"\} (\d+)`).FindSubmatch(download(t, address+"/metrics"))
	if found == nil {
		return 0
	}
	count, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return count
}

func TestFailureTheStackIsStoppedAmidTheWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := startStack(t, emulator.Options{Dir: dir})
	o := lookAt(t, stack)
	accepted, err := o.sendAll(t.Context(), slices.Concat(largePictures(t), largePictures(t), smallPictures(t)))
	require.NoError(t, err)
	require.Error(t, o.finished(t.Context()), "there has to be work in flight")
	require.NotEmpty(t, tasksIn(dir))
	require.NoError(t, stack.Close())
	assert.Empty(t, tasksIn(dir), "processes left behind")
	logs, err := filepath.Glob(filepath.Join(dir, "nomad", "global", "client", "*", "alloc", "*", "alloc", "logs", "*.stderr.0"))
	require.NoError(t, err)
	assert.Len(t, logs, len(tasksUp))
	for _, log := range logs {
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"msg":"stopped"`, "%s did not stop gracefully", log)
	}
	again := lookAt(t, startStack(t, emulator.Options{Dir: dir}))
	again.known = o.known
	again.requireEachOnce(t, accepted)
}

func TestFailureTheWholeEmulatorIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := runUp(t, dir)
	o := first.look(t)
	sending, cancel := context.WithCancel(t.Context())
	defer cancel()
	var accepted []string
	var clients sync.WaitGroup
	clients.Go(func() {
		// What is not accepted when the store dies is the client's to send again.
		accepted, _ = o.sendAll(sending, slices.Concat(largePictures(t), largePictures(t), smallPictures(t), smallPictures(t)))
	})
	await(t, func(ctx context.Context) error {
		if info, err := o.worker(ctx); err != nil || info.AckFloor.Stream < 5 || info.NumAckPending < 2 {
			return errors.Join(err, errors.New("the worker has not got into its work"))
		}
		return nil
	})
	require.NotEmpty(t, tasksIn(dir))
	require.NoError(t, first.command.Process.Kill())
	require.Eventually(t, func() bool { return len(tasksIn(dir)) == 0 }, awaitAtMost, 10*time.Millisecond, "processes left behind")
	cancel()
	clients.Wait()
	_ = first.wait() // it was killed

	second := runUp(t, dir)
	again := second.look(t)
	again.known = o.known
	again.requireEachOnce(t, accepted)
	require.NoError(t, second.command.Process.Signal(syscall.SIGINT))
	require.NoError(t, second.wait())
	assert.Empty(t, tasksIn(dir), "processes left behind")
}

// From here on: what the tests above have in common.

// smallPictures are the photographs at a size that is quick to process.
func smallPictures(t *testing.T) []*picture {
	t.Helper()
	pictures, err := makeSmall()
	require.NoError(t, err)
	return slices.Clone(pictures)
}

var makeSmall = sync.OnceValues(func() (pictures []*picture, err error) {
	large, err := readLarge()
	for _, p := range large {
		small, failed := transform(p.data, `[{"name": "small", "width": 320, "format": "jpeg"}]`)
		if err = errors.Join(err, failed); err != nil {
			return nil, err
		}
		pictures = append(pictures, newPicture("small-"+p.name, p.kind, small.variants[0].Bytes))
	}
	return pictures, nil
})

// variableSeed repeats the random moments of an earlier run.
const variableSeed = "DRYDOCK_TEST_SEED"

// amid sends pictures in rounds, and in each calls strike at a random moment of
// the work on them. It returns the accepted uploads, 10 a round.
func (o *outside) amid(t *testing.T, rounds int, strike func(chance *rand.Rand)) (accepted []string) {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv(variableSeed); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("%s=%d", variableSeed, seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	large := largePictures(t)
	for round := range rounds {
		delivered := o.deliveries(t)
		var batch []string
		var clients errgroup.Group
		clients.Go(func() (err error) {
			batch, err = o.sendAll(t.Context(), append(smallPictures(t), large[2*round%8], large[(2*round+1)%8]))
			return err
		})
		await(t, func(ctx context.Context) error {
			if info, err := o.worker(ctx); err != nil || info.Delivered.Consumer == delivered {
				return errors.Join(err, errors.New("the worker has not begun"))
			}
			return nil
		})
		<-atRandom(chance)
		strike(chance)
		require.NoError(t, clients.Wait())
		accepted = append(accepted, batch...)
	}
	return accepted
}

// atRandom is a moment within the time that a round's work takes.
func atRandom(chance *rand.Rand) <-chan time.Time {
	return time.After(time.Duration(chance.Int64N(int64(400 * time.Millisecond))))
}

// tasksIn finds the processes of the tasks of a stack by its folder; on Linux
// alone, elsewhere there seem to be none.
func tasksIn(dir string) (found []string) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	for _, file := range files {
		environ, err := os.ReadFile(file) // it may have ended; one that is dead and not reaped has none
		if err == nil && bytes.Contains(environ, []byte("NOMAD_ALLOC_DIR="+dir+"/")) {
			found = append(found, filepath.Dir(file))
		}
	}
	return found
}

// upProcess is the program `drydock up`.
type upProcess struct {
	command *exec.Cmd
	wait    func() error
	dir     string
	printed []string // until it is up
}

// runUp runs the real program on free ports until it is up. It is killed with the test.
func runUp(t *testing.T, dir string) *upProcess {
	t.Helper()
	p := &upProcess{dir: dir, command: exec.Command(filepath.Join(programs(t), "drydock"),
		"up", "--dir", dir, "--free-ports")}
	var said bytes.Buffer
	p.command.Stderr = &said
	stdout, err := p.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	p.wait = sync.OnceValue(func() error {
		_, err := io.Copy(io.Discard, stdout)
		return errors.Join(err, p.command.Wait())
	})
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		_ = p.wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		p.printed = append(p.printed, lines.Text())
		if strings.Contains(lines.Text(), "Ctrl-C stops everything") {
			return p
		}
	}
	_ = p.wait()
	require.FailNow(t, "drydock up did not come up", "%s\n%s", strings.Join(p.printed, "\n"), &said)
	return nil
}

// look reads the printed addresses.
func (p *upProcess) look(t *testing.T) *outside {
	t.Helper()
	at := map[string]string{}
	for _, line := range p.printed {
		if fields := strings.Fields(line); len(fields) > 1 && strings.Contains(fields[1], "://") {
			at[fields[0]] = strings.TrimSuffix(fields[1], "/")
		}
	}
	return lookAtURLs(t, at["page"], at["objects"], at["events"], filepath.Join(p.dir, "keys.json"))
}
