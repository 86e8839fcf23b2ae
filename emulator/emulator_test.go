package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, o emulator.Options) *emulator.Stack {
	t.Helper()
	stack, err := emulator.Start(bounded(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, stack.Close()) })
	return stack
}

// arrive stores an object where uploads arrive and returns its key.
func arrive(t *testing.T, stack *emulator.Stack) string {
	t.Helper()
	key := contract.IncomingKey("demo", contract.NewUploadID(time.Now()), "a.txt")
	_, err := stack.Objects.Put(bounded(t), key, strings.NewReader("hello"), 5, cloud.PutOptions{ContentType: "text/plain"})
	require.NoError(t, err)
	return key
}

// arrived returns the key in the next notification.
func arrived(t *testing.T, consumer cloud.Consumer) string {
	t.Helper()
	delivery, err := consumer.Next(bounded(t))
	require.NoError(t, err)
	require.NoError(t, delivery.Ack(bounded(t)))
	objects, err := contract.ParseObjectsCreated(delivery.Event().Data)
	require.NoError(t, err)
	require.Len(t, objects, 1)
	assert.Equal(t, emulator.Bucket, objects[0].Bucket)
	return objects[0].Key
}

func subscribe(t *testing.T, stack *emulator.Stack) cloud.Consumer {
	t.Helper()
	consumer, err := stack.Bus.Subscribe(bounded(t), cloud.Subscription{Name: "test", Topic: contract.TopicObjectsCreated, AckWait: 10 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { consumer.Close() })
	return consumer
}

func TestWhatArrivesIsNotifiedInEveryOneOfManyStacks(t *testing.T) {
	t.Parallel()
	const stacks = 8
	for i := range stacks {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			stack := start(t, emulator.Options{})
			consumer := subscribe(t, stack)
			key := arrive(t, stack)
			assert.Equal(t, key, arrived(t, consumer))
			records, err := stack.Records(bounded(t), "tests")
			require.NoError(t, err)
			require.NoError(t, records.Close())
			assert.Empty(t, stack.Allocations())
			assert.Empty(t, stack.URL("uploads"))
		})
	}
}

func TestTheStateSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, emulator.Options{Dir: dir})
	key := arrive(t, first)
	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing twice")
	second := start(t, emulator.Options{Dir: dir})
	_, err := second.Objects.Head(bounded(t), key)
	require.NoError(t, err, "the same keys open the same bucket")
	assert.Equal(t, key, arrived(t, subscribe(t, second)))
	info, err := os.Stat(second.KeysFile())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAnEphemeralStackLeavesNothing(t *testing.T) {
	t.Parallel()
	stack := start(t, emulator.Options{})
	folder := filepath.Dir(stack.KeysFile())
	require.DirExists(t, folder)
	require.NoError(t, stack.Close())
	require.NoDirExists(t, folder)
}

func TestPartsRestart(t *testing.T) {
	t.Parallel()
	stack := start(t, emulator.Options{})
	consumer := subscribe(t, stack)
	var during string
	bus := stack.NATSURL()
	require.NoError(t, stack.RestartNATS(func() {
		assert.Equal(t, bus, stack.NATSURL(), "known while it is away")
		during = arrive(t, stack)
	}))
	assert.Equal(t, bus, stack.NATSURL())
	assert.Equal(t, during, arrived(t, consumer), "kept until the bus was back")

	store := stack.S3URL()
	require.NoError(t, stack.RestartS3(nil))
	assert.Equal(t, store, stack.S3URL())
	assert.Equal(t, arrive(t, stack), arrived(t, consumer))
}

func TestATakenPortIsNamedWithItsHolder(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	address, err := url.Parse("http://" + listener.Addr().String())
	require.NoError(t, err)
	port, err := strconv.Atoi(address.Port())
	require.NoError(t, err)
	for _, part := range []string{emulator.PartObjects, emulator.PartEvents} {
		_, err := emulator.Start(bounded(t), emulator.Options{Ports: map[string]int{part: port}})
		var taken *emulator.PortTakenError
		require.ErrorAs(t, err, &taken)
		assert.Equal(t, part, taken.Part)
		assert.Equal(t, port, taken.Port)
		if runtime.GOOS == "linux" {
			assert.Equal(t, os.Getpid(), taken.Holder.PID)
			assert.Contains(t, err.Error(), "emulator.test")
		}
	}
}

func TestAPortForNobodyIsRefused(t *testing.T) {
	t.Parallel()
	_, err := emulator.Start(bounded(t), emulator.Options{Ports: map[string]int{"evnts": 4222}})
	require.ErrorContains(t, err, `a port is given for "evnts", which is neither a part (objects, events`)
}

func TestASecondStackOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack := start(t, emulator.Options{Dir: dir})
	_, err := emulator.Start(bounded(t), emulator.Options{Dir: dir})
	var used *emulator.FolderInUseError
	require.ErrorAs(t, err, &used)
	assert.Equal(t, dir, used.Dir)
	assert.Equal(t, os.Getpid(), used.PID)
	arrive(t, stack) // the first is unharmed
}

func TestEveryJobHasAKeyToTheObjectStore(t *testing.T) {
	t.Parallel()
	job := `job "resize" {
  group "resize" {
    task "resize" {
      driver = "raw_exec"
      config {
        command = "sleep"
        args    = ["600"]
      }
      template {
        destination = "local/keys"
        data        = "{{ with nomadVar \"nomad/jobs/resize\" }}{{ .access_key }} {{ .secret_key }}{{ end }}"
      }
    }
  }
}`
	stack := start(t, emulator.Options{Jobs: fstest.MapFS{"resize.nomad.hcl": {Data: []byte(job)}}})
	rendered, err := os.ReadFile(filepath.Join(stack.Allocations()[0].Dir, "resize", "local", "keys"))
	require.NoError(t, err)
	keys := strings.Fields(string(rendered))
	require.Len(t, keys, 2)
	items, _, err := nomadClient(t, stack).Variables().GetVariableItems("nomad/jobs/resize", nil)
	require.NoError(t, err)
	assert.Equal(t, api.VariableItems{"access_key": "resize", "secret_key": keys[1]}, items, "it is given what it reads, and no more")
	objects, err := s3.Open("s3+"+stack.S3URL()+"/"+emulator.Bucket, credentials.NewStaticV4(keys[0], keys[1], ""))
	require.NoError(t, err)
	require.NoError(t, objects.Ready(bounded(t)))
}

func TestAStartThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		jobs fstest.MapFS
		says string
	}{
		"no job":       {fstest.MapFS{}, "there is no job file"},
		"a broken job": {fstest.MapFS{"a.nomad.hcl": {Data: []byte("job {")}}, "a.nomad.hcl"},
		"missing program": {fstest.MapFS{"a.nomad.hcl": {Data: []byte(`job "a" {
  group "a" {
    restart {
      attempts = 0
      mode     = "fail"
    }
    task "a" {
      driver = "raw_exec"
      config { command = "drydock-absent" }
    }
  }
}`)}}, "drydock-absent"},
	} {
		_, err := emulator.Start(bounded(t), emulator.Options{Jobs: test.jobs})
		require.ErrorContains(t, err, test.says, name)
	}
	canceled, cancel := context.WithCancelCause(bounded(t))
	cancel(errors.New("changed my mind"))
	_, err := emulator.Start(canceled, emulator.Options{})
	require.ErrorIs(t, err, context.Canceled)
}
