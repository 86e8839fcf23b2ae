package state

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// framed is a snapshot of some rows.
func framed(t testing.TB, rows ...string) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, frame(&out, []byte(strings.Join(rows, ""))))
	return &out
}

func TestASnapshotHasTheKindsOfItsRows(t *testing.T) {
	t.Parallel()
	rows := []string{
		`[{"t":"nodes","r":{"ID":"a"}}]` + "\n", `[{"t":"evals","r":{"ID":"b"}}]` + "\n", `[{"t":"usage","r":{}}]` + "\n",
	}
	snapshot := framed(t, rows...)
	assert.Equal(t, "\x80\x00\xdb\x00\x00\x00\x1f"+rows[0], snapshot.String()[:7+len(rows[0])])
	assert.Contains(t, snapshot.String(), "\x03\xdb\x00\x00\x00\x1f"+rows[1])
	assert.Contains(t, snapshot.String(), "\x7f\xdb")
	lines, err := unframe(snapshot)
	require.NoError(t, err)
	assert.Equal(t, strings.Join(rows, ""), string(lines))
}

func TestARestoredStateIsWhole(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	require.NoError(t, s.Seed())
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.UpsertNamespace(&api.Namespace{Name: "kept"})
		return nil
	}))
	var saved bytes.Buffer
	index, err := s.Snapshot(&saved)
	require.NoError(t, err)
	assert.Equal(t, s.View().LastIndex(), index)

	other, err := New()
	require.NoError(t, err)
	require.NoError(t, other.Restore(&saved))
	view := other.View()
	assert.NotNil(t, view.Namespace("kept"))
	assert.NotNil(t, view.SchedulerConfiguration())
	assert.Greater(t, view.LastIndex(), index)
	assert.Equal(t, view.LastIndex(), view.RestoredIndex())
}

func TestWhatIsNoStateIsNotRestored(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	require.NoError(t, s.Seed())
	for name, test := range map[string]struct{ snapshot, err string }{
		"empty":        {"", "EOF"},
		"foreign":      {"\x82", "not those of this program"},
		"other values": {"\x80\x00\x82abcde", "not those of this program"},
		"too long":     {"\x80\x00\xdb\xff\xff\xff\xff", "not those of this program"},
		"cut":          {"\x80\x00\xdb\x00\x00\x00\x09[", "EOF"},
		"no rows":      {framed(t).String() + "\x00\xdb\x00\x00\x00\x01[", "read a snapshot of the state"},
		"no table":     {framed(t, `[{"t":"nowhere","r":{}}]`+"\n").String(), `there is no table "nowhere"`},
		"no job": {framed(t, `[{"t":"allocs","r":{"ID":"one","JobID":"web","Namespace":"default"}}]`+"\n").String(),
			`the job "web" of allocation one is missing`},
	} {
		before := s.View().LastIndex()
		assert.ErrorContains(t, s.Restore(strings.NewReader(test.snapshot)), test.err, name)
		assert.Equal(t, before, s.View().LastIndex(), name)
		assert.NotNil(t, s.View().Namespace(api.DefaultNamespace), name)
	}
}

// FuzzUnframe reads whatever is sent: it is refused, or has lines.
func FuzzUnframe(f *testing.F) {
	f.Add(framed(f, `[{"t":"nodes","r":{}}]`+"\n").Bytes())
	f.Add([]byte("\x80"))
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		lines, err := unframe(bytes.NewReader(snapshot))
		if err == nil {
			assert.LessOrEqual(t, len(lines), len(snapshot))
		}
	})
}
