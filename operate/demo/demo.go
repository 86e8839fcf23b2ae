// Package demo shows what the stack does, through its APIs as anybody would:
// Run sends a folder of pictures, as a browser would, and measures what becomes
// of them; Alerts has the market crash and waits for the mail that it causes.
package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed photographs/*.jpg
var photographs embed.FS

// Photographs are a few real ones, with their authors and licences named in
// photographs/CREDITS.md.
func Photographs() fs.FS {
	folder, err := fs.Sub(photographs, "photographs")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return folder
}

// Options say what to send where. API and Files must be given.
type Options struct {
	API         string // base URL of the uploads API
	Files       fs.FS  // every regular file in it is sent, those in folders too, hidden ones excepted
	Concurrency int    // files on their way at once; 8 when zero
	// Done, if set, is called as files reach their end, from several goroutines.
	Done func(File)
}

// File is what became of one file.
type File struct {
	Name     string        `json:"name"`
	Size     int64         `json:"size"` // bytes
	ID       string        `json:"id,omitempty"`
	Status   string        `json:"status"`           // processed, rejected or failed
	Reason   string        `json:"reason,omitempty"` // for rejected and failed
	Variants []Variant     `json:"variants,omitempty"`
	Took     time.Duration `json:"took_ns"` // from the end of its upload to its final status
}

// Variant is one picture made from a file.
type Variant struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
}

// StatusFailed is the status of a file that could not be sent or followed.
const StatusFailed = "failed"

// Count returns how many files there are to send.
func Count(files fs.FS) (count int, err error) {
	err = walk(files, func(string, int64) { count++ })
	return count, err
}

func walk(files fs.FS, visit func(name string, size int64)) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && strings.HasPrefix(path.Base(name), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		visit(name, info.Size())
		return nil
	})
}

// Run sends the files and waits until each has reached its end. It returns a
// report also when files failed or were rejected, which the report tells, and
// an error when there is nothing to send or nobody to send it to.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	if o.Done == nil {
		o.Done = func(File) {}
	}
	client := newClient(o.API)
	defer client.http.CloseIdleConnections()
	if err := client.ping(ctx); err != nil {
		return nil, err
	}
	var todo []File
	if err := walk(o.Files, func(name string, size int64) {
		todo = append(todo, File{Name: name, Size: size})
	}); err != nil {
		return nil, fmt.Errorf("read pictures: %w", err)
	}
	if len(todo) == 0 {
		return nil, errors.New("read pictures: there is no file in the folder")
	}

	began := time.Now()
	next := make(chan *File)
	var group sync.WaitGroup
	for range o.Concurrency {
		group.Go(func() {
			for file := range next {
				client.send(ctx, o.Files, file)
				o.Done(*file)
			}
		})
	}
	for i := range todo {
		next <- &todo[i]
	}
	close(next)
	group.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return newReport(todo, time.Since(began)), nil
}

// Report is what came of a run.
type Report struct {
	Files      []File           `json:"files"`
	Took       time.Duration    `json:"took_ns"`
	PerSecond  float64          `json:"pictures_per_second"` // processed pictures
	Median     time.Duration    `json:"median_ns"`           // from the end of an upload to processed
	Percent99  time.Duration    `json:"percentile_99_ns"`
	Processed  int              `json:"processed"`
	Rejected   int              `json:"rejected"`
	Failed     int              `json:"failed"`
	ByVariant  []VariantSummary `json:"variants"`
	BytesTotal int64            `json:"bytes"` // of the processed originals
}

// VariantSummary adds up one variant over all pictures.
type VariantSummary struct {
	Name     string `json:"name"`
	Pictures int    `json:"pictures"`
	Before   int64  `json:"bytes_before"` // of the originals
	After    int64  `json:"bytes_after"`
}

func newReport(files []File, took time.Duration) *Report {
	r := &Report{Files: files, Took: took}
	var waits []time.Duration
	for _, file := range files {
		switch file.Status {
		case "processed":
			r.Processed++
			r.BytesTotal += file.Size
			waits = append(waits, file.Took)
			for _, v := range file.Variants {
				r.add(v, file.Size)
			}
		case "rejected":
			r.Rejected++
		default:
			r.Failed++
		}
	}
	r.PerSecond = float64(r.Processed) / took.Seconds()
	slices.Sort(waits)
	r.Median, r.Percent99 = percentile(waits, 50), percentile(waits, 99)
	return r
}

func (r *Report) add(v Variant, original int64) {
	i := slices.IndexFunc(r.ByVariant, func(s VariantSummary) bool { return s.Name == v.Name })
	if i < 0 {
		r.ByVariant = append(r.ByVariant, VariantSummary{Name: v.Name})
		i = len(r.ByVariant) - 1
	}
	s := &r.ByVariant[i]
	s.Pictures++
	s.Before += original
	s.After += v.Size
}

// percentile is the nearest-rank percentile of sorted values; 0 of none.
func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}
