package contract_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/contract"
)

func TestIdentifiersSortNewestFirst(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_760_000_000_123)
	var ids []string
	for i := range 100 {
		made := now.Add(time.Duration(i*i) * time.Millisecond)
		id := contract.NewUploadID(made)
		at, ok := contract.UploadTime(id)
		require.True(t, ok)
		assert.True(t, at.Equal(made), "%v is not %v", at, made)
		if i > 0 && (i*i != (i-1)*(i-1)) {
			ids = append(ids, id)
		}
	}
	slices.Reverse(ids)
	assert.True(t, slices.IsSorted(ids))
	assert.NotEqual(t, contract.NewUploadID(now), contract.NewUploadID(now))
}

func TestWhatIsNoIdentifierIsRefused(t *testing.T) {
	t.Parallel()
	id := contract.NewUploadID(time.Now())
	for _, wrong := range []string{"", "x", id + "0", id[1:], strings.ToUpper(id), strings.Repeat("z", 24), strings.Repeat("/", 24)} {
		_, ok := contract.UploadTime(wrong)
		assert.False(t, ok, wrong)
	}
}

func TestKeysComeApartAsTheyWereMade(t *testing.T) {
	t.Parallel()
	id := contract.NewUploadID(time.Now())
	key := contract.IncomingKey("demo", id, "a b/ü.jpg")
	owner, gotID, name, ok := contract.ParseIncomingKey(key)
	require.True(t, ok)
	assert.Equal(t, []string{"demo", id, "a b/ü.jpg"}, []string{owner, gotID, name})
	for _, wrong := range []string{"", "incoming/", "incoming/demo", "incoming/demo/" + id, "incoming/demo/" + id + "/", "incoming/demo/xyz/a.jpg", "incoming/De mo/" + id + "/a.jpg", "processed/demo/" + id + "/a.jpg"} {
		_, _, _, ok := contract.ParseIncomingKey(wrong)
		assert.False(t, ok, wrong)
	}
	assert.Equal(t, "processed/demo/"+id+"/thumb.webp", contract.VariantKey("demo", id, "thumb", ".webp"))
}

func TestNamesBecomeFitForKeys(t *testing.T) {
	t.Parallel()
	for name, clean := range map[string]string{
		"harbour.jpg":                   "harbour.jpg",
		"../../etc/passwd":              "passwd",
		`C:\Photos\dawn.jpg`:            "dawn.jpg",
		"":                              "file",
		"..":                            "file",
		"/":                             "file",
		"a\x00b\nc.png":                 "a_b_c.png",
		"${filename}.jpg":               "_{filename}.jpg",
		" spaced .jpg ":                 "spaced .jpg",
		"画像 é.webp":                     "画像 é.webp",
		string([]byte{0xff}):            "_",
		"x." + strings.Repeat("e", 300): "x." + strings.Repeat("e", 198),
	} {
		assert.Equal(t, clean, contract.CleanName(name), "%q", name)
	}
	long := contract.CleanName(strings.Repeat("画", 1000) + ".jpg")
	assert.LessOrEqual(t, len(long), 200)
	assert.True(t, utf8.ValidString(long))
	assert.True(t, strings.HasSuffix(long, "画.jpg"))
}

func FuzzNamesBecomeFitForKeys(f *testing.F) {
	f.Add("harbour.jpg")
	f.Add("../..")
	f.Add(strings.Repeat("é", 150) + ".jpeg")
	id := contract.NewUploadID(time.Now())
	f.Fuzz(func(t *testing.T, name string) {
		clean := contract.CleanName(name)
		key := contract.IncomingKey("demo", id, clean)
		_, _, got, ok := contract.ParseIncomingKey(key)
		if !ok || got != clean || len(key) > 1024 || !utf8.ValidString(key) || strings.ContainsAny(clean, "/\\$\x00") || clean != contract.CleanName(clean) {
			t.Fatalf("%q became %q", name, clean)
		}
	})
}

func TestNotificationsOfAllStoresAreUnderstood(t *testing.T) {
	t.Parallel()
	minio := `{"EventName":"s3:ObjectCreated:Put","Key":"uploads/incoming/demo/1/a+b.jpg","Records":[{"eventName":"s3:ObjectCreated:Post","s3":{"bucket":{"name":"uploads"},"object":{"key":"incoming%2Fdemo%2F1%2Fa+b%C3%BC.jpg","size":5,"eTag":"abc"}}}]}`
	objects, err := contract.ParseObjectsCreated([]byte(minio))
	require.NoError(t, err)
	assert.Equal(t, []contract.Object{{Bucket: "uploads", Key: "incoming/demo/1/a bü.jpg", Size: 5, ETag: "abc"}}, objects)

	aws := `{"Records":[{"eventName":"ObjectCreated:CompleteMultipartUpload","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}},{"eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"b"},"object":{"key":"gone"}}}]}`
	objects, err = contract.ParseObjectsCreated([]byte(aws))
	require.NoError(t, err)
	assert.Equal(t, []contract.Object{{Bucket: "b", Key: "k"}}, objects)

	objects, err = contract.ParseObjectsCreated([]byte(`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`))
	require.NoError(t, err)
	assert.Empty(t, objects)

	for _, wrong := range []string{"", "[]", `{"a":1}`, `{"Records":[{"eventName":"s3:ObjectCreated:Put","s3":{"object":{"key":"%zz"}}}]}`} {
		_, err := contract.ParseObjectsCreated([]byte(wrong))
		assert.Error(t, err, wrong)
	}

	object := contract.Object{Bucket: "uploads", Key: "incoming/demo/1/ü a+b%.jpg", Size: 7, ETag: "e"}
	objects, err = contract.ParseObjectsCreated(contract.ObjectsCreated(object))
	require.NoError(t, err)
	assert.Equal(t, []contract.Object{object}, objects)
}
