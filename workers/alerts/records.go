package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"time"
)

// Keys of the worker's records:
//
//	members/<instance>                 an instance that lives; it expires
//	partitions/<partition>             who owns it, and how far it has come
//	states/<partition>/<symbol>/<part> what the symbol's rules have seen
//	windows/<partition>/<symbol>       the last quotes of a symbol that is quiet
const (
	membersPrefix    = "members"
	partitionsPrefix = "partitions"
)

func memberKey(name string) string { return membersPrefix + "/" + name }

func partitionKey(number int) string { return fmt.Sprintf("%s/%02d", partitionsPrefix, number) }

func statesPrefix(number int) string { return fmt.Sprintf("states/%02d", number) }

func stateKey(number int, symbol, part string) string {
	return statesPrefix(number) + "/" + url.PathEscape(symbol) + "/" + part
}

func windowsPrefix(number int) string { return fmt.Sprintf("windows/%02d", number) }

func windowKey(number int, symbol string) string {
	return windowsPrefix(number) + "/" + url.PathEscape(symbol)
}

// lease is the document of a partition.
type lease struct {
	Owner string `json:"owner,omitempty"` // an instance; nobody when empty
	// Position is that of the last quote that was evaluated.
	Position uint64 `json:"position"`
	// Published is when that quote was: a quote at or before Position that was
	// published later is of a stream that was made anew.
	Published time.Time `json:"published,omitzero"`
	// Need is the position to read from, at most the one after Position.
	Need uint64 `json:"need"`

	revision uint64
}

// leases returns those of all partitions by their number; one that nobody has
// had is the zero lease.
func (w *worker) leases(ctx context.Context) (map[int]lease, error) {
	leases := map[int]lease{}
	for record, err := range w.States.List(ctx, partitionsPrefix) {
		if err != nil {
			return nil, err
		}
		number, err := strconv.Atoi(path.Base(record.Key))
		if err != nil {
			return nil, fmt.Errorf("read record %s: its name is not a partition's number", record.Key)
		}
		held := lease{revision: record.Revision}
		if err := json.Unmarshal(record.Value, &held); err != nil {
			return nil, fmt.Errorf("read record %s: %w", record.Key, err)
		}
		leases[number] = held
	}
	return leases, nil
}

// putLease writes a lease over the one that it was read from or written as.
func (w *worker) putLease(ctx context.Context, number int, held *lease) error {
	value, err := json.Marshal(held)
	if err != nil {
		return err
	}
	revision, err := w.States.Put(ctx, partitionKey(number), value, held.revision, 0)
	if err == nil {
		held.revision = revision
	}
	return err
}
