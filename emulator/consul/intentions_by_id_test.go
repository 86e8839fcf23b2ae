package consul

//lint:file-ignore SA1019 clients that know intentions by their IDs are served too

import (
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnIntentionByItsID(t *testing.T) {
	t.Parallel()
	connect := client(t, start(t, Options{})).Connect()
	wanted := &api.Intention{SourceName: "api", DestinationName: "db", Action: api.IntentionActionAllow, Meta: map[string]string{"a": "b"}}
	id, _, err := connect.IntentionCreate(wanted, nil)
	require.NoError(t, err)
	made, _, err := connect.IntentionGet(id, nil)
	require.NoError(t, err)
	assert.Equal(t, 9, made.Precedence)
	assert.Equal(t, map[string]string{"a": "b"}, made.Meta)
	assert.NotEmpty(t, made.Hash)
	assert.False(t, made.CreatedAt.IsZero())

	made.SourceName = "other"
	_, err = connect.IntentionUpdate(made, nil)
	require.NoError(t, err)
	changed, _, err := connect.IntentionGet(id, nil)
	require.NoError(t, err)
	assert.Equal(t, "other", changed.SourceName)
	assert.Equal(t, made.CreatedAt, changed.CreatedAt)

	made.DestinationName = "elsewhere"
	_, err = connect.IntentionUpdate(made, nil)
	assert.ErrorContains(t, err, "Cannot modify Destination partition/namespace/name for an intention once it exists.")
	_, err = connect.IntentionDelete(id, nil)
	require.NoError(t, err)
	gone, _, err := connect.IntentionGet(id, nil)
	require.NoError(t, err)
	assert.Nil(t, gone)
	_, err = connect.IntentionDelete(id, nil)
	assert.ErrorContains(t, err, "Cannot delete non-existent intention: '"+id+"'")
}
