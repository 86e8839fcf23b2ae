package s3

import (
	"net/http"
	"strings"
)

// headerForceDelete is MinIO's own: with it a bucket goes with all that is in
// it, and a key with all of its versions and whatever lies under it.
const headerForceDelete = "X-Minio-Force-Delete"

func (q *request) forced() bool {
	return strings.EqualFold(q.r.Header.Get(headerForceDelete), "true")
}

// forceDeleteObject removes every version of the key and of the keys under it.
func (q *request) forceDeleteObject(b *bucket) error {
	if b.config().ObjectLock != nil {
		return errPartArgument.saying("force-delete is forbidden on Object Locking enabled buckets")
	}
	how := q.removing(b, func(removal, entry, bool) error { return nil })
	under := strings.TrimSuffix(q.key, "/") + "/"
	for _, prefix := range []string{q.key, under} {
		if err := q.removeAll(b, prefix, prefix == under, how); err != nil {
			return err
		}
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeAll removes every version of a key or, with under, of all keys with that
// prefix.
func (q *request) removeAll(b *bucket, prefix string, under bool, how removing) error {
	for {
		var what []removal
		p := b.index.listVersions(prefix, "", "", "", maxPage)
		for _, v := range p.versions {
			if under || v.key == prefix {
				what = append(what, removal{key: v.key, version: versionID(v.version)})
			}
		}
		if len(what) == 0 {
			return nil
		}
		if _, err := q.srv.st.remove(b, what, how); err != nil {
			return err
		}
	}
}
