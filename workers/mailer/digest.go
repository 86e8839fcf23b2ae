package mailer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/workers/runner"
)

// A person's minute is a row of parts, "digest/<person>.<minute>/<part>". The
// minute is that in which the alert's event was made, so that a redelivered
// alert falls into the same one. An alert is in exactly one part: whoever adds
// one looks through the parts from the first until it finds the alert, or an
// open part that takes it. A part that is closed never opens again, and what
// comes later begins the next one.
//
// "due/<person>.<minute>" stands for each row that has something to send. It is
// written after a part and before the alert is acknowledged, anew for each
// addition; who has closed all parts removes it only if it has not changed since.

// item is one alert of a digest.
type item struct {
	Alert  contract.Alert `json:"alert"`
	Window int            `json:"window,omitempty"` // seconds, of the rule's condition
	Note   string         `json:"note,omitempty"`
}

// part is one part of a person's minute.
type part struct {
	Address string `json:"address"`
	// Single are the IDs of the alerts that are sent singly; in the first part only.
	Single []string `json:"single,omitempty"`
	// Items are sent as one digest.
	Items []item `json:"items,omitempty"`
	// Closed parts take no more; Published ones are on their way.
	Closed    bool `json:"closed,omitempty"`
	Published bool `json:"published,omitempty"`
}

const (
	maxPartItems = 200
	maxPartBytes = 200 << 10 // of a record's 256 KiB
	minuteForm   = "200601021504"
	// lateness is how long after its minute a digest waits for alerts that are
	// on their way.
	lateness = 2 * time.Second
)

// row names a person's minute: "<person>.<minute>".
func row(address string, at time.Time) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(address))))
	return hex.EncodeToString(sum[:12]) + "." + at.UTC().Format(minuteForm)
}

func partKey(row string, number int) string { return fmt.Sprintf("digest/%s/%d", row, number) }

// digestID is the ID of the mail that a part makes.
func digestID(row string, number int) string {
	if number == 1 {
		return "digest." + row
	}
	return fmt.Sprintf("digest.%s.%d", row, number)
}

func (p part) hasSingle(id string) bool { return slices.Contains(p.Single, id) }

func (p part) hasItem(id string) bool {
	return slices.ContainsFunc(p.Items, func(i item) bool { return i.Alert.ID == id })
}

// count gives the alert its place in the person's minute, or finds the one
// that it has. It returns true when a digest has it, which is durable then.
func (m *Mailer) count(ctx context.Context, address string, at time.Time, i item) (digested bool, err error) {
	row := row(address, at)
	for number := 1; ; number++ {
		p, here, err := m.countIn(ctx, partKey(row, number), address, number == 1, i)
		if err != nil {
			return false, err
		}
		if !here {
			continue
		}
		if p.hasSingle(i.Alert.ID) {
			return false, nil
		}
		return true, m.setDue(ctx, row)
	}
}

// countIn finds or puts the alert in one part; here is false when it is not in
// the part, and the part takes no more.
func (m *Mailer) countIn(ctx context.Context, key, address string, first bool, i item) (p part, here bool, err error) {
	for range swaps {
		p, revision, err := m.part(ctx, key)
		if err != nil {
			return part{}, false, err
		}
		if p.hasSingle(i.Alert.ID) || p.hasItem(i.Alert.ID) {
			return p, true, nil
		}
		if p.Closed || len(p.Items) >= maxPartItems {
			return p, false, nil
		}
		p.Address = address
		if first && len(p.Single) < m.DigestAfter && len(p.Items) == 0 {
			p.Single = append(p.Single, i.Alert.ID)
		} else {
			p.Items = append(p.Items, i)
		}
		stored, err := m.putPart(ctx, key, p, revision)
		if errors.Is(err, errFull) && revision > 0 {
			return p, false, nil
		}
		if err != nil || stored {
			return p, stored, err
		}
	}
	return part{}, false, fmt.Errorf("count alert %s: the record %s changed %d times meanwhile", i.Alert.ID, key, swaps)
}

var errFull = errors.New("the part is full")

// part reads a part; one that does not exist has revision 0.
func (m *Mailer) part(ctx context.Context, key string) (p part, revision uint64, err error) {
	record, err := m.Mail.Get(ctx, key)
	if errors.Is(err, cloud.ErrNotFound) {
		return part{}, 0, nil
	}
	if err != nil {
		return part{}, 0, err
	}
	if err := json.Unmarshal(record.Value, &p); err != nil {
		return part{}, 0, fmt.Errorf("read record %s: %w", key, err)
	}
	return p, record.Revision, nil
}

// putPart returns false when the record has changed meanwhile.
func (m *Mailer) putPart(ctx context.Context, key string, p part, revision uint64) (stored bool, err error) {
	value, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	if len(value) > maxPartBytes && !p.Closed {
		return false, errFull
	}
	return m.swap(ctx, key, value, revision, keep)
}

// swap puts a record, and returns false when it has changed meanwhile.
func (m *Mailer) swap(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (bool, error) {
	_, err := m.Mail.Put(ctx, key, value, revision, keep)
	if errors.Is(err, cloud.ErrConflict) || errors.Is(err, cloud.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

const duePrefix = "due"

// setDue writes the row's due record anew.
func (m *Mailer) setDue(ctx context.Context, row string) error {
	key := duePrefix + "/" + row
	for range swaps {
		record, err := m.Mail.Get(ctx, key)
		if err != nil && !errors.Is(err, cloud.ErrNotFound) {
			return err
		}
		stored, err := m.swap(ctx, key, []byte("{}"), record.Revision, keep)
		if err != nil || stored {
			return err
		}
	}
	return fmt.Errorf("the record %s changed %d times meanwhile", key, swaps)
}

// removeDue removes a due record that is still at the revision.
func (m *Mailer) removeDue(ctx context.Context, record cloud.Record) error {
	_, err := m.swap(ctx, record.Key, []byte("{}"), record.Revision, time.Second)
	return err
}

// handleTick hands on the digests of the minutes that are over. It goes by the
// clock, not by the tick: one that comes late or twice does no harm.
func (m *Mailer) handleTick(ctx context.Context, _ cloud.Event) error {
	over := m.now().Add(-lateness).UTC().Format(minuteForm)
	var failed []error
	for record, err := range m.Mail.List(ctx, duePrefix) {
		if err != nil {
			failed = append(failed, err)
			break
		}
		row := strings.TrimPrefix(record.Key, duePrefix+"/")
		if minute := row[strings.LastIndexByte(row, '.')+1:]; minute >= over {
			continue
		}
		if err := m.closeRow(ctx, row); err != nil {
			failed = append(failed, err) // it does not hold up the others
			continue
		}
		if err := m.removeDue(ctx, record); err != nil {
			failed = append(failed, err)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return runner.Drop(err) // the next tick finds the same to do
	}
	return nil
}

// closeRow closes each part that has items, and hands it on.
func (m *Mailer) closeRow(ctx context.Context, row string) error {
	for number := 1; ; {
		p, revision, err := m.part(ctx, partKey(row, number))
		if err != nil {
			return err
		}
		if revision == 0 {
			return nil
		}
		// After each step, or when it has changed meanwhile, it is looked at anew.
		switch {
		case !p.Closed && len(p.Items) > 0:
			p.Closed = true
		case p.Closed && !p.Published:
			if err := m.publish(ctx, row, number); err != nil {
				return err
			}
			p.Published = true
		default:
			number++
			continue
		}
		if _, err := m.putPart(ctx, partKey(row, number), p, revision); err != nil {
			return err
		}
	}
}

// ready is the body of the events on topicDigests.
type ready struct {
	Row  string `json:"row"`
	Part int    `json:"part"`
}

func (m *Mailer) publish(ctx context.Context, row string, number int) error {
	data, err := json.Marshal(ready{Row: row, Part: number})
	if err != nil {
		return err
	}
	id := digestID(row, number)
	return m.Bus.Publish(ctx, topicDigests, cloud.Event{ID: id, Source: source, Type: typeDigest, Subject: id, Time: m.now().UTC(), Data: data})
}

// handleDigest sends one digest.
func (m *Mailer) handleDigest(ctx context.Context, event cloud.Event) error {
	var r ready
	if err := json.Unmarshal(event.Data, &r); err != nil {
		return runner.Permanent(fmt.Errorf("read digest: %w", err))
	}
	p, revision, err := m.part(ctx, partKey(r.Row, r.Part))
	if err != nil {
		return err
	}
	if revision == 0 || !p.Closed {
		return runner.Permanent(fmt.Errorf("the digest %s is not there any more", digestID(r.Row, r.Part)))
	}
	id := digestID(r.Row, r.Part)
	done, err := m.settled(ctx, id, p.Address)
	if err != nil || done {
		return err
	}
	minute, err := time.Parse(minuteForm, r.Row[strings.LastIndexByte(r.Row, '.')+1:])
	if err != nil {
		return runner.Permanent(fmt.Errorf("read digest %s: %w", id, err))
	}
	return m.send(ctx, id, p.Address, "digest", m.digestData(p, minute))
}
