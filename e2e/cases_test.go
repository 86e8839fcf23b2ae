package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/uploads"
	"github.com/drydock/drydock/emulator/mail"
	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/deadletter"
)

// worker is the job that is killed and scaled.
const worker = "images"

// Photographs that are sent by form and by PUT become the variants that the job
// file declares.
func uploadIsProcessed(r run) {
	pictures := r.photographs()
	for i, upload := range r.processed(r.uploadAll(pictures)) {
		assert.Equal(r, pictures[i].name, upload.Filename)
		assert.Equal(r, pictures[i].data, r.download(upload.Original.URL), "the original of %s", upload.Filename)
		r.requireVariants(upload)
	}
}

// A price that crosses a rule is mailed.
func alertIsMailed(r run) {
	w := r.watch()
	w.fire("the mail", w.mailed)
	w.end()
}

// A mail that the server refuses for good becomes a dead letter, and is sent
// once the mailbox is there and the letter is redriven.
func deadLetterIsRedriven(r run) {
	w := r.watch()
	words := "no mailbox of " + w.address
	r.call(http.MethodPut, "inbox-page", "/v1/faults", mail.Fault{Kind: mail.RejectRecipient, Recipient: w.address, Code: 550, Words: words}, nil)
	var letter deadletter.Letter
	w.fire("the dead letter", func(ctx context.Context) error {
		letters, err := r.letters(ctx, words)
		if err == nil && len(letters) == 0 {
			err = errors.New("there is none")
		}
		if err == nil {
			letter = letters[0]
		}
		return err
	})
	r.call(http.MethodDelete, "inbox-page", "/v1/faults", nil, nil)
	r.call(http.MethodDelete, "alerts", "/v1/suppressions/"+url.PathEscape(w.address), nil, nil)
	at := r.instancesOf("deadletters")
	require.NotEmpty(r, at)
	var last deadletter.Progress
	for progress, err := range deadletter.New("http://"+at[0]).Redrive(r.Context(), deadletter.Redrive{IDs: []string{letter.ID}}) {
		require.NoError(r, err)
		last = progress
	}
	assert.Equal(r, 1, last.Done, "%+v", last)
	r.await("the mail, at last", w.mailed)
	w.end()
	letters, err := r.letters(r.Context(), words)
	require.NoError(r, err)
	assert.Empty(r, letters)
}

// letters are the mailer's dead letters with these words as their reason.
func (r run) letters(ctx context.Context, words string) (found []deadletter.Letter, err error) {
	at, err := r.web.find(ctx, "deadletters")
	if err != nil {
		return nil, err
	}
	for letter, err := range deadletter.New(at).List(ctx, deadletter.Filter{Consumer: "mailer", Reason: words}) {
		if err != nil {
			return nil, err
		}
		found = append(found, letter)
	}
	return found, nil
}

// A worker that is killed amid its work is started again by Nomad, and each
// acknowledged upload is processed once.
func workerIsKilled(r run) {
	stream := r.follow()
	var ids []string
	for range 2 {
		ids = append(ids, r.uploadAll(r.photographs())...)
	}
	r.await("work is under way", func(context.Context) error {
		if len(stream.told()) == 0 {
			return errors.New("nothing is processed yet")
		}
		return nil
	})
	r.kill()
	r.processed(ids)
	times := map[string]int{}
	r.await("each is told of", func(context.Context) error {
		times = stream.told()
		for _, id := range ids {
			if times[id] == 0 {
				return fmt.Errorf("upload %s is not told of", id)
			}
		}
		return nil
	})
	require.NoError(r, stream.end())
	for _, id := range ids {
		assert.Equal(r, 1, times[id], "upload %s came to its end", id)
	}
}

// kill kills an instance of the worker, and waits until Nomad has started it again.
func (r run) kill() {
	r.Helper()
	var killed *nomad.AllocationListStub
	r.await("kill a worker", func(ctx context.Context) error {
		list, err := r.allocations(ctx, worker)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errors.New("none is to run")
		}
		killed = list[0]
		return r.nomad.Allocations().Signal(&nomad.Allocation{ID: killed.ID}, query(ctx), worker, "SIGKILL")
	})
	before := killed.TaskStates[worker].Restarts
	r.await("the worker is started again", func(ctx context.Context) error {
		now, _, err := r.nomad.Allocations().Info(killed.ID, query(ctx))
		if err != nil {
			return err
		}
		if state := now.TaskStates[worker]; state.Restarts <= before || state.State != "running" {
			return fmt.Errorf("the task is %s, restarted %d times", state.State, state.Restarts)
		}
		return nil
	})
}

// Workers come and go by Nomad's scale API while uploads go on.
func workersAreScaled(r run) {
	count := *r.job(worker).TaskGroups[0].Count
	sending := r.uploading()
	r.scale(count + 1)
	sending.more(4)
	r.settled(only(worker)) // Nomad scales nothing that is being deployed
	r.scale(count)
	sending.more(4)
	sending.end()
}

func (r run) scale(count int) {
	r.Helper()
	r.await("scale", func(ctx context.Context) error {
		_, _, err := r.nomad.Jobs().Scale(worker, worker, &count, "the suite scales", false, nil, new(nomad.WriteOptions).WithContext(ctx))
		return err
	})
	r.instances(worker, count)
}

// Roles tell that they are not ready while the bus is away, live on, and go on
// by themselves once it is back.
func busIsAway(r run) {
	var roles []string
	for _, id := range r.services() {
		if job := r.job(id); job.Meta[jobs.MetaPart] == "" && strings.Contains(templatesOf(job), ".bus") {
			roles = append(roles, id)
		}
	}
	require.Contains(r, roles, updated)
	at := map[string]string{}
	for _, role := range roles {
		at[role] = r.instancesOf(role)[0]
	}
	pictures := r.photographs()[:2]
	var ids []string
	r.withoutTheBus(func() {
		for _, role := range slices.Sorted(maps.Keys(at)) {
			r.await(role+" is not ready", func(ctx context.Context) error {
				var answer *refused
				_, err := r.web.send(ctx, http.MethodGet, "http://"+at[role]+"/health/ready", nil, nil)
				if errors.As(err, &answer) && answer.status == http.StatusServiceUnavailable {
					return nil
				}
				return fmt.Errorf("instead of status 503: %v", err)
			})
			_, err := r.web.send(r.Context(), http.MethodGet, "http://"+at[role]+"/health/live", nil, nil)
			require.NoError(r, err, "%s lives", role)
		}
		// Signing needs no bus, and the store keeps what it has to tell.
		for _, p := range pictures {
			ids = append(ids, r.uploadAt(at[updated], p))
		}
	})
	for _, role := range roles {
		r.await(role+" is ready again, and the same instance", func(ctx context.Context) error {
			if _, err := r.web.send(ctx, http.MethodGet, "http://"+at[role]+"/health/ready", nil, nil); err != nil {
				return err
			}
			list, err := r.web.instances(ctx, role)
			if err == nil && !slices.Contains(list, at[role]) {
				err = fmt.Errorf("consul has %v instead of %s", list, at[role])
			}
			return err
		})
	}
	r.processed(ids)
}

// uploadAt uploads by an instance that Consul may think ill of.
func (r run) uploadAt(instance string, p picture) string {
	r.Helper()
	var signed uploads.SignedUpload
	ask := fmt.Sprintf(`{"filename": %q, "content_type": "image/jpeg", "size": %d}`, p.name, len(p.data))
	r.await("sign", func(ctx context.Context) error {
		text, err := r.web.send(ctx, http.MethodPost, "http://"+instance+"/v1/uploads", map[string]string{"Content-Type": "application/json"}, []byte(ask))
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &signed)
	})
	r.await("send", func(ctx context.Context) error { return byPut(ctx, r.web, signed, p.data) })
	return signed.ID
}

// withoutTheBus calls while the event bus is away.
func (r run) withoutTheBus(meanwhile func()) {
	r.Helper()
	if r.withoutBus != nil {
		require.NoError(r, r.withoutBus(meanwhile))
		return
	}
	for _, id := range r.services() {
		job := r.job(id)
		if job.Meta[jobs.MetaPart] != "events" {
			continue
		}
		r.await("stop the bus", func(ctx context.Context) error {
			_, _, err := r.nomad.Jobs().Deregister(id, false, new(nomad.WriteOptions).WithContext(ctx))
			return err
		})
		meanwhile()
		job.Stop = new(false)
		r.await("start the bus", func(ctx context.Context) error {
			_, _, err := r.nomad.Jobs().Register(job, new(nomad.WriteOptions).WithContext(ctx))
			return err
		})
		return
	}
	require.FailNow(r, "no job is the event bus")
}

// services are the jobs that Nomad keeps running.
func (r run) services() (ids []string) {
	r.Helper()
	r.await("list jobs", func(ctx context.Context) error {
		list, _, err := r.nomad.Jobs().List(query(ctx))
		ids = nil
		for _, job := range list {
			if job.Type == nomad.JobTypeService && !job.Stop {
				ids = append(ids, job.ID)
			}
		}
		return err
	})
	return ids
}

func templatesOf(job *nomad.Job) (text string) {
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			for _, template := range task.Templates {
				text += *template.EmbeddedTmpl
			}
		}
	}
	return text
}

// What a node runs moves when it is drained, or stops where there is no other
// node until it is eligible again. Data stays.
func nodeIsDrained(r run) {
	kept := r.uploadAll(r.photographs()[:2])
	r.processed(kept)
	var id string
	r.await("find a node", func(ctx context.Context) error {
		list, err := r.allocations(ctx, updated)
		if err == nil && len(list) == 0 {
			err = errors.New("nothing runs")
		}
		if err == nil {
			id = list[0].NodeID
		}
		return err
	})
	nodes := r.nodes()
	r.await("drain", func(ctx context.Context) error {
		_, err := r.nomad.Nodes().UpdateDrainOpts(id, &nomad.DrainOptions{
			DrainSpec: &nomad.DrainSpec{Deadline: time.Minute, IgnoreSystemJobs: true},
		}, new(nomad.WriteOptions).WithContext(ctx))
		return err
	})
	r.await("the node is drained", func(ctx context.Context) error { return r.drained(ctx, id) })
	if len(nodes) > 1 {
		r.processed(r.uploadAll(r.photographs()[:2]))
	} else {
		r.await("nothing serves", func(ctx context.Context) error {
			list, err := r.web.instances(ctx, updated)
			if err == nil && len(list) > 0 {
				err = fmt.Errorf("consul has %v", list)
			}
			return err
		})
	}
	r.await("make the node eligible", func(ctx context.Context) error {
		_, err := r.nomad.Nodes().ToggleEligibility(id, true, new(nomad.WriteOptions).WithContext(ctx))
		return err
	})
	r.settled(everyJob)
	for _, upload := range r.processed(kept) {
		r.requireVariants(upload)
	}
	r.processed(r.uploadAll(r.photographs()[:2]))
}

func (s *suite) drained(ctx context.Context, id string) error {
	node, _, err := s.nomad.Nodes().Info(id, query(ctx))
	if err != nil {
		return err
	}
	if node.Drain {
		return errors.New("it drains")
	}
	list, _, err := s.nomad.Nodes().Allocations(id, query(ctx))
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.ClientStatus == nomad.AllocClientStatusRunning && *a.Job.Type == nomad.JobTypeService {
			return fmt.Errorf("allocation %s runs", a.Name)
		}
	}
	return nil
}

func (r run) nodes() (list []*nomad.NodeListStub) {
	r.Helper()
	r.await("list nodes", func(ctx context.Context) (err error) {
		list, _, err = r.nomad.Nodes().List(query(ctx))
		return err
	})
	return list
}

// Each zone in turn is lost while uploads and alerts go on; nothing that was
// acknowledged is.
func zonesAreLost(r run) {
	if r.stopZone == nil {
		r.Skip(r.inapplicable)
	}
	zones := r.zones()
	require.Greater(r, len(zones), 1)
	sending := r.uploading()
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		w := r.watch()
		sending.more(2)
		require.NoError(r, r.stopZone(r.Context(), zone))
		r.await("zone "+zone+" is missed", func(ctx context.Context) error { return r.missed(ctx, zones[zone]) })
		sending.more(4)
		w.fire("the mail without zone "+zone, w.mailed)
		w.end()
		require.NoError(r, r.startZone(r.Context(), zone))
		// The parts have their copies in all zones again before the next one goes.
		r.settled(func(job *nomad.Job) bool { return *job.ID == updated || job.Meta[jobs.MetaPart] != "" })
	}
	sending.end()
}

// zones are the names of the nodes by their zone, as the job files know it.
func (r run) zones() (zones map[string][]string) {
	r.Helper()
	zones = map[string][]string{}
	for _, stub := range r.nodes() {
		r.await("read node "+stub.Name, func(ctx context.Context) error {
			node, _, err := r.nomad.Nodes().Info(stub.ID, query(ctx))
			if err == nil {
				zones[node.Meta["zone"]] = append(zones[node.Meta["zone"]], node.Name)
			}
			return err
		})
	}
	return zones
}

// missed is an error while a node of these seems to be there.
func (s *suite) missed(ctx context.Context, names []string) error {
	nodes, _, err := s.nomad.Nodes().List(query(ctx))
	for _, node := range nodes {
		if slices.Contains(names, node.Name) && node.Status == nomad.NodeStatusReady {
			return fmt.Errorf("node %s is ready", node.Name)
		}
	}
	return err
}
