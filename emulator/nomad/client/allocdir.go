package client

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// keptAllocations is how many ended allocations of a job keep their directory, so that their logs can be read.
const keptAllocations = 10

// allocationRecord is the file allocation.json in an allocation directory: what a later Nomad must know to collect it.
type allocationRecord struct {
	ID      string
	JobID   string
	Group   string
	Created time.Time
}

func (n *Nomad) allocRoot() string { return filepath.Join(n.options.Dir, "alloc") }

func (a *allocation) sharedDir() string { return filepath.Join(a.dir, "alloc") }
func (a *allocation) logDir() string    { return filepath.Join(a.dir, "alloc", "logs") }

// makeDirs lays the allocation directory out as Nomad does.
func (a *allocation) makeDirs() error {
	dirs := []string{a.logDir(), filepath.Join(a.sharedDir(), "data"), filepath.Join(a.sharedDir(), "tmp")}
	for _, t := range a.tasks {
		dirs = append(dirs, t.localDir(), filepath.Join(t.dir, "tmp"))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make allocation directory: %w", err)
		}
	}
	for _, t := range a.tasks {
		if err := os.Mkdir(t.secretsDir(), 0o700); err != nil {
			return fmt.Errorf("make allocation directory: %w", err)
		}
	}
	record, err := json.Marshal(allocationRecord{ID: a.id, JobID: *a.job.ID, Group: *a.group.Name, Created: a.created})
	if err != nil {
		return fmt.Errorf("record allocation %s: %w", a.id, err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "allocation.json"), record, 0o644); err != nil {
		return fmt.Errorf("record allocation %s: %w", a.id, err)
	}
	return nil
}

// wipeSecrets removes what must not outlive the allocation.
func (a *allocation) wipeSecrets() {
	for _, t := range a.tasks {
		if err := os.RemoveAll(t.secretsDir()); err != nil {
			a.n.log.Warn("secrets of an ended allocation stay on disk", "allocation", a.id, "task", t.spec.Name, "error", err)
		}
	}
}

// collect removes the directories of ended allocations, of this Nomad or an earlier one in the same folder, but for the
// newest of each job. It looks at one job, or at all of them when jobID is empty; then it also wipes secrets that an owner
// which was killed has left.
func (n *Nomad) collect(jobID string) {
	n.mu.Lock()
	live := map[string]bool{}
	for _, a := range n.placed {
		live[a.id] = !a.ended
	}
	n.mu.Unlock()

	ended := map[string][]allocationRecord{}
	for _, record := range n.records(live) {
		if jobID == "" || record.JobID == jobID {
			ended[record.JobID] = append(ended[record.JobID], record)
		}
	}
	removed := map[string]bool{}
	for _, records := range ended {
		slices.SortFunc(records, func(x, y allocationRecord) int { return y.Created.Compare(x.Created) })
		for i, record := range records {
			if i >= keptAllocations {
				n.removeDir(record.ID)
				removed[record.ID] = true
			} else if jobID == "" {
				n.wipeLeftSecrets(record.ID)
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.placed = slices.DeleteFunc(n.placed, func(a *allocation) bool { return removed[a.id] })
}

// records reads the records of the allocations that do not live; a directory without one is not of ours and is left alone.
func (n *Nomad) records(live map[string]bool) []allocationRecord {
	files, err := filepath.Glob(filepath.Join(n.allocRoot(), "*", "allocation.json"))
	if err != nil {
		return nil
	}
	var records []allocationRecord
	for _, file := range files {
		id := filepath.Base(filepath.Dir(file))
		if live[id] {
			continue
		}
		var record allocationRecord
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &record)
		}
		if err != nil {
			n.log.Warn("allocation directory without a record is not collected", "file", file, "error", err)
			continue
		}
		record.ID = id
		records = append(records, record)
	}
	return records
}

func (n *Nomad) removeDir(id string) {
	if err := os.RemoveAll(filepath.Join(n.allocRoot(), id)); err != nil {
		n.log.Warn("allocation directory is not collected", "allocation", id, "error", err)
	}
}

func (n *Nomad) wipeLeftSecrets(id string) {
	dirs, err := filepath.Glob(filepath.Join(n.allocRoot(), id, "*", "secrets"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			n.log.Warn("secrets of an earlier allocation stay on disk", "allocation", id, "error", err)
		}
	}
}
